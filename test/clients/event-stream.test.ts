/** Server-sent events taken apart, however the network has cut them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { eventsIn } from '../../clients/typescript/event-stream.ts'

const TEXT = ': a comment\n\nevent: delta\r\ndata: {"delta":"🦀 ä"}\r\n\r\ndata: one\rdata:two\r\rid: 7\nretry: 1\n\nevent: done\ndata\ndata:  kept: as it is\n\nevent: half\ndata: never'
const EVENTS = [
  { event: 'delta', data: '{"delta":"🦀 ä"}' },
  { event: 'message', data: 'one\ntwo' },
  { event: 'done', data: '\n kept: as it is' },
]

function inPieces(size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(TEXT)
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + size))
      at += size
    },
  })
}

describe('a stream of server-sent events', () => {
  for (const size of [1, 2, 3, 7, 1000]) {
    it(`says the same in pieces of ${size} bytes; what has no end is no event`, async () => {
      let pieces = 0
      assert.deepEqual(await Array.fromAsync(eventsIn(inPieces(size), () => (pieces += 1))), EVENTS)
      assert.equal(pieces, Math.ceil(new TextEncoder().encode(TEXT).length / size))
    })
  }
})
