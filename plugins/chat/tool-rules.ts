/**
 * Which of the gateway's tools an agent is offered: its profile's, and by name what it gets beside them or never gets. A tool
 * that is not offered cannot be called either. What offering means for a tool that would do harm is the tools plugin's
 * business, which guards every call.
 */

/** An agent's `tools`, as the manifest's schema has checked them. Names are patterns: `*` stands for any text. */
export interface ToolRules {
  readonly profile?: keyof typeof PROFILES
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

/** What a tool of a profile may do to the world, by the effects the tool declares. */
export const PROFILES = {
  full: ['read', 'write', 'network', 'exec', 'spend'],
  coding: ['read', 'write', 'network', 'exec'],
  messaging: ['read', 'network'],
  none: [],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** deny wins over allow, allow over the profile. A tool without effects is in every profile but `none`. */
export function mayUse({ profile = 'full', allow = [], deny = [] }: ToolRules, name: string, effects: readonly string[]): boolean {
  if (deny.some((pattern) => fits(name, pattern))) return false
  if (allow.some((pattern) => fits(name, pattern))) return true
  const granted: readonly string[] = PROFILES[profile]
  return profile !== 'none' && effects.every((effect) => granted.includes(effect))
}

/** Without a regular expression: the pattern is the owner's, but its worst case would be everyone's. */
function fits(name: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return name === pattern
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false
  let at = first.length
  for (const piece of rest) {
    const found = name.indexOf(piece, at)
    if (found < 0 || found + piece.length > name.length - last.length) return false
    at = found + piece.length
  }
  return true
}
