/** What happens, told to whoever may hear it: `noun.happening`, with data. Events know no wire. */
import type { Refusal } from './error.ts'
import type { JsonObject } from './json.ts'

export interface GatewayEvent {
  readonly name: string
  readonly data: JsonObject
  /** The run it belongs to, where it belongs to one; also in `data`. */
  readonly runId?: string
  /** Its number within the run, from 1; what a client that comes back says it has already. 0 outside a run. */
  readonly seq: number
  /** The field of `data`, a text, by which two such events in a row may be joined for a reader who is behind. */
  readonly join?: string
}

/** How a call ended. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly refusal: Refusal }
