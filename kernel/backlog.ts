/**
 * What waits for a reader who is behind. Results are never dropped; two events in a row that say they may be joined become
 * one, so that a slow reader of a long answer costs the answer's text and not its thousand frames.
 */
import type { GatewayEvent, JsonObject } from '@isopod/plugin-api'

/** Something to be told in its turn. */
export type Waiting<Other> = { readonly kind: 'event'; readonly event: GatewayEvent } | Other

export class Backlog<Other extends { readonly kind: string }> {
  #waiting: Waiting<Other>[] = []

  get size(): number {
    return this.#waiting.length
  }

  push(item: Waiting<Other>): void {
    const last = this.#waiting.at(-1)
    const joined = last && isEvent(last) && isEvent(item) ? join(last.event, item.event) : undefined
    if (joined) this.#waiting[this.#waiting.length - 1] = { kind: 'event', event: joined }
    else this.#waiting.push(item)
  }

  /** The one that has waited longest. */
  shift(): Waiting<Other> | undefined {
    return this.#waiting.shift()
  }

  clear(): void {
    this.#waiting = []
  }
}

function isEvent(item: { readonly kind: string }): item is { readonly kind: 'event'; readonly event: GatewayEvent } {
  return item.kind === 'event'
}

/** One event for two, with the number of the later; undefined where they may not be joined. */
function join(first: GatewayEvent, second: GatewayEvent): GatewayEvent | undefined {
  const field = second.join
  if (field === undefined || first.join !== field || first.name !== second.name || first.runId !== second.runId) return undefined
  const data: JsonObject = { ...second.data, [field]: `${String(first.data[field])}${String(second.data[field])}` }
  return { ...second, data }
}
