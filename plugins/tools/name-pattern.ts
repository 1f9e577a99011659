/** A tool's name as the owner's config spells it, with `*` for any text: `browser_*`. */

/**
 * Whether the name fits the pattern. Goes through both once and back only to the last `*`, so that no pattern takes longer
 * than the two lengths multiplied; a regular expression could.
 */
export function fits(name: string, pattern: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  for (let index = 0; index < name.length; ) {
    if (pattern[at] === '*') {
      star = at++
      resume = index
    } else if (pattern[at] === name[index]) {
      at++
      index++
    } else if (star !== -1) {
      at = star + 1
      index = ++resume
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
