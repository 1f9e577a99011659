/**
 * Holds `register` to its word: while it runs, timers throw, and afterwards nothing may be open that was not before. A
 * plugin that must act does so in `start`, where it has a context and an end.
 */

const TIMERS = ['setTimeout', 'setInterval', 'setImmediate'] as const

/**
 * Runs `declare` and answers what it answers.
 * @throws Error that names what was opened.
 */
export function declareOnly<Answer>(declare: () => Answer): Answer {
  const scope = globalThis as unknown as Record<string, unknown>
  const originals = TIMERS.map((name) => [name, scope[name]] as const)
  const before = openResources()
  for (const name of TIMERS) {
    scope[name] = () => {
      throw new Error(`\`register\` called ${name}: it only declares; set timers in \`start\``)
    }
  }
  try {
    const answer = declare()
    const opened = newlyOpened(before, openResources())
    if (opened) throw new Error(`\`register\` opened a ${opened}: it only declares; open things in \`start\``)
    return answer
  } finally {
    for (const [name, original] of originals) scope[name] = original
  }
}

/** How many of each kind of handle and request are open in this process. */
function openResources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

function newlyOpened(before: Map<string, number>, after: Map<string, number>): string | undefined {
  for (const [name, count] of after) if (count > (before.get(name) ?? 0)) return name
  return undefined
}
