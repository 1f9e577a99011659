/** What a WebSocket's close frame may say (RFC 6455, 5.5.1 and 7.4). One library throws on the rest, the other sends it. */

/** A control frame carries 125 bytes, two of which are the code. */
const MAX_REASON_BYTES = 123

/** 1013: the reader is too far behind. */
export const TRY_AGAIN_LATER = 1013

/** The code, or 1011 (an error on our side) for one that may not be sent. */
export function sendableCode(code: number): number {
  const registered = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006
  return registered || (code >= 3000 && code <= 4999) ? code : 1011
}

/** The reason, cut between two characters so that it fits. */
export function fittingReason(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_REASON_BYTES) return reason
  let bytes = 0
  let fitting = ''
  for (const character of reason) {
    bytes += Buffer.byteLength(character)
    if (bytes > MAX_REASON_BYTES) return fitting
    fitting += character
  }
  return fitting
}
