/**
 * Holds `register` to its word: while it runs, timers and `fetch` throw, and afterwards nothing may be open that was not
 * before. A plugin that must act does so in `start`, where it has a context and an end.
 */
import { actedInRegister, openedInRegister } from '@isopod/plugin-api'

const ACTS = ['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'WebSocket'] as const

leaveWebSocketUnloaded()

/**
 * Runs `declare` and answers what it answers.
 * @throws Error that names what was opened.
 */
export function declareOnly<Answer>(declare: () => Answer): Answer {
  const before = openResources()
  const restore = ACTS.map(forbid)
  try {
    const answer = declare()
    const opened = newlyOpened(before, openResources())
    if (opened) throw new Error(openedInRegister(opened))
    return answer
  } finally {
    for (const one of restore) one()
  }
}

/**
 * Node makes `WebSocket` at the first look at it, and a look at its descriptor is one: it loads Node's whole HTTP client, which
 * is 4.5 MB. From now on only who uses it pays for it. `node:http` has the same class under the same name.
 */
function leaveWebSocketUnloaded(): void {
  if (!('WebSocket' in globalThis)) return
  Reflect.deleteProperty(globalThis, 'WebSocket') // replacing what is there looks at it, too
  const place = { configurable: true, enumerable: false }
  Object.defineProperty(globalThis, 'WebSocket', {
    ...place,
    get: () => process.getBuiltinModule('node:http').WebSocket,
    set: (value: unknown) => {
      Object.defineProperty(globalThis, 'WebSocket', { ...place, value, writable: true })
    },
  })
}

/** Puts something that throws in the place of a global. Answers the undo. */
function forbid(name: string): () => void {
  const original = Object.getOwnPropertyDescriptor(globalThis, name)
  if (!original) return () => {}
  // A function, not an arrow: `new WebSocket` has to meet it too.
  const refuse = function refuse() {
    throw new Error(actedInRegister(name))
  }
  Object.defineProperty(globalThis, name, { value: refuse, configurable: true, writable: true, enumerable: original.enumerable ?? false })
  return () => Object.defineProperty(globalThis, name, original)
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
