/** The events of a run, each with the data that the contract gives it. */
import type { Context, JsonObject } from '@isopod/plugin-api'
import type { ChatEvents } from './contract.ts'

/** Events of these names carry a text that may be joined for a reader who is behind. */
const JOINED: ReadonlySet<string> = new Set<keyof ChatEvents>(['chat.delta', 'chat.thinking'])

export function tell<Name extends keyof ChatEvents>(name: Name, data: ChatEvents[Name], ctx: Pick<Context, 'emit'>): void {
  // The contract's data is JSON by construction; an interface has no index signature to show it.
  ctx.emit(name, data as unknown as JsonObject, JOINED.has(name) ? { join: 'delta' } : {})
}
