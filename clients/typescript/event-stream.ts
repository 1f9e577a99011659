/**
 * The text of server-sent events, taken apart (HTML standard, 9.2.6). Pieces end anywhere: within a line, between the two
 * halves of a line's end, or within a character. An event whose blank line never came is no event.
 */

/** One event, its data as text. */
export interface ServerEvent {
  /** `message` where the stream gives none. */
  readonly event: string
  readonly data: string
}

/** The events of a body, in order, as they come. `heard` is told of every piece, comments included. */
export async function* eventsIn(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<ServerEvent, void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const lines = new Lines()
  let fields: string[] = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    heard()
    for (const line of lines.take(decoder.decode(value, { stream: true }))) {
      if (line !== '') {
        fields.push(line)
        continue
      }
      const event = eventOf(fields)
      fields = []
      if (event) yield event
    }
  }
}

/** Whole lines out of pieces. A carriage return at the end of a piece waits, in case its line feed is still to come. */
class Lines {
  /** What has no end yet. Kept in pieces: a long line would else be copied once for each of them. */
  #rest: string[] = []

  take(text: string): string[] {
    if (!/[\r\n]/.test(text) && !this.#rest.at(-1)?.endsWith('\r')) {
      if (text !== '') this.#rest.push(text)
      return []
    }
    const lines = (this.#rest.join('') + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = [lines.pop() ?? '']
    return lines
  }
}

/** Undefined where there is no data in it: a comment alone, for instance. */
function eventOf(lines: readonly string[]): ServerEvent | undefined {
  let event = 'message'
  const data: string[] = []
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === 'event') event = value
    else if (name === 'data') data.push(value)
  }
  return data.length === 0 ? undefined : { event, data: data.join('\n') }
}
