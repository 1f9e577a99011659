/**
 * The data of server-sent events, out of bytes that may be cut anywhere: between two events, in a line, in a character. Only
 * data is looked for (9.2.6 of the HTML standard); names, ids and comments are left out. It bounds an event that has no end, but
 * not a line: whoever brings the bytes counts those.
 */
import { StringDecoder } from 'node:string_decoder'

/** In characters; as long as a line may be. */
const LONGEST_EVENT = 16 * 1024 * 1024
const BYTE_ORDER_MARK = '\uFEFF'

export class ServerEvents {
  readonly #decoder = new StringDecoder('utf8')
  /** The beginning of a line whose end has not come. */
  #line = ''
  /** The data of the event under way; undefined before its first line of data. */
  #data: string | undefined
  #isFirst = true
  /** The last character was a carriage return: a line feed that follows belongs to it. */
  #isBroken = false

  /**
   * The data of each event these bytes complete, in order. What the stream's end
   * cuts off is no event. Throws an `Error` for one without end.
   */
  take(bytes: Uint8Array): readonly string[] {
    const text = this.#decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    if (text === '') return []
    const isMarked = this.#isFirst && text.startsWith(BYTE_ORDER_MARK)
    const isRest = this.#isBroken && text.startsWith('\n')
    this.#isFirst = false
    this.#isBroken = text.endsWith('\r')
    return this.#events(isMarked || isRest ? text.slice(1) : text)
  }

  #events(text: string): readonly string[] {
    const events: string[] = []
    const lines = text.split(text.includes('\r') ? /\r\n|\r|\n/ : '\n')
    const last = lines.length - 1
    for (let at = 0; at < last; at += 1) {
      // The first of them ends what was begun; joined only now, a line in a thousand pieces is copied once.
      const line = at === 0 ? this.#line + lines[0] : (lines[at] ?? '')
      if (line.startsWith('data:')) this.#add(line.slice(line.startsWith(' ', 5) ? 6 : 5))
      else if (line === '') {
        // An event whose data is empty is none, by the standard.
        if (this.#data !== undefined && this.#data !== '') events.push(this.#data)
        this.#data = undefined
      }
    }
    this.#line = last === 0 ? this.#line + text : (lines[last] ?? '')
    return events
  }

  #add(line: string): void {
    this.#data = this.#data === undefined ? line : `${this.#data}\n${line}`
    if (this.#data.length > LONGEST_EVENT) throw new Error('An event has no end')
  }
}
