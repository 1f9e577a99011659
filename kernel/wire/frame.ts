/** A frame as every dialect gets it: one JSON object. What it means is not known here. */
import { isObject, refusalOf, type JsonObject, type Refusal } from '@isopod/plugin-api'
import { parseParts } from '../json-input.ts'
import { asRefusal } from '../outcome.ts'

/**
 * The frame in a text, or why there is none. Never throws. Its parts are frozen
 * and it is not: no further than the dialect goes the whole.
 */
export function frameIn(text: string): { readonly frame: JsonObject } | Refusal {
  try {
    const frame = parseParts(text)
    return isObject(frame) ? { frame } : { code: 'invalid_request', message: 'A frame is one JSON object' }
  } catch (thrown) {
    return refusalOf(asRefusal(thrown))
  }
}
