/** What bytes may do on their way is tested with whole answers; here is what a server may do that no provider's stream does. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ServerEvents } from '../server-events.ts'

function eventsIn(text: string, chunkBytes = Infinity): string[] {
  const events = new ServerEvents()
  const bytes = Buffer.from(text)
  const chunks = []
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes))
  return chunks.flatMap((chunk) => events.take(chunk))
}

const STREAMS: Record<string, readonly [text: string, events: readonly string[]]> = {
  'lines end with line feeds': ['data: a\n\ndata:b\n\n', ['a', 'b']],
  'lines end with both': ['data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n', ['a\nb', 'c']],
  'lines end with carriage returns': ['data: a\rdata: b\r\rdata: c\r\r', ['a\nb', 'c']],
  'there are comments, names and ids': [': hello\nevent: x\nid: 1\ndata: a\nretry: 5\n\n:\n\n', ['a']],
  'only the first space of data is not its own': ['data:  a \n\n', [' a ']],
  'some have no data': ['data\n\ndata:\n\nevent: x\n\ndata: a\n\n', ['a']],
  'it begins with a byte order mark': ['\uFEFFdata: \uFEFF\u00e9\n\n', ['\uFEFF\u00e9']],
  'the last event is cut off': ['data: a\n\ndata: b\n', ['a']],
}

describe('the data of events is found where', () => {
  for (const [what, [text, events]] of Object.entries(STREAMS)) {
    test(what, () => {
      for (const chunkBytes of [1, 2, 3, 5, Infinity]) assert.deepEqual(eventsIn(text, chunkBytes), events, `in chunks of ${chunkBytes}`)
    })
  }
})

test('an event without end is given up before it fills the memory', () => {
  const events = new ServerEvents()
  const line = Buffer.from(`data: ${'x'.repeat(1 << 20)}\n`)
  assert.throws(() => {
    for (let lines = 0; lines < 20; lines += 1) events.take(line)
  }, /no end/)
})
