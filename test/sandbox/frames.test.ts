import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { bytesFrame, FrameReader, GarbledFrame, jsonFrame, OversizedFrame, type Frame } from '../../sandbox/frames.ts'

const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((text) => ({ kind: 'json', text }) as const),
  fc.record({ kind: fc.constant('bytes' as const), stream: fc.nat(), bytes: fc.uint8Array() }, { noNullPrototype: true }),
)

function encoded(one: Frame): Uint8Array {
  return one.kind === 'json' ? jsonFrame(one.text) : bytesFrame(one.stream, one.bytes)
}

/** Cuts where the numbers say, wrapping around. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0, turn = 0; at < bytes.byteLength; turn++) {
    const size = sizes[turn % sizes.length]!
    pieces.push(bytes.slice(at, at + size))
    at += size
  }
  return pieces
}

test('frames come out as they went in, wherever the pipe cuts them', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (frames, sizes) => {
      const reader = new FrameReader()
      const pieces = cut(Buffer.concat(frames.map(encoded)), sizes)
      assert.deepEqual(pieces.flatMap((piece) => [...reader.read(piece)]), frames)
      assert.equal(reader.isInside, false)
    }),
  )
})

test('whatever comes, the reader hands out frames or says that they are garbled', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (pieces) => {
      const reader = new FrameReader(48)
      try {
        for (const piece of pieces) for (const one of reader.read(piece)) assert.ok(one.kind === 'json' || one.bytes instanceof Uint8Array)
      } catch (thrown) {
        assert.ok(thrown instanceof GarbledFrame)
      }
    }),
  )
})

test('half a frame is kept until the rest comes', () => {
  const reader = new FrameReader()
  const bytes = jsonFrame('{"a":1}')
  assert.deepEqual([...reader.read(bytes.slice(0, 6))], [])
  assert.equal(reader.isInside, true)
  assert.deepEqual([...reader.read(bytes.slice(6))], [{ kind: 'json', text: '{"a":1}' }])
})

test('a length beyond the bound is refused from its four bytes alone', () => {
  const reader = new FrameReader(1_000)
  assert.throws(() => [...reader.read(Uint8Array.of(0, 0, 3, 233))], /announced 1001 bytes/)
})

test('a frame of no bytes is refused', () => {
  assert.throws(() => [...new FrameReader().read(Uint8Array.of(0, 0, 0, 0))], GarbledFrame)
})

test('an unknown kind is refused', () => {
  assert.throws(() => [...new FrameReader().read(Uint8Array.of(0, 0, 0, 1, 7))], /unknown kind 7/)
})

test('a frame of bytes without a whole stream number is refused', () => {
  assert.throws(() => [...new FrameReader().read(Uint8Array.of(0, 0, 0, 3, 1, 0, 0))], /names no stream/)
})

test('JSON that is no UTF-8 is refused', () => {
  assert.throws(() => [...new FrameReader().read(Uint8Array.of(0, 0, 0, 3, 0, 0xc3, 0x28))], /no UTF-8/)
})

test('a message larger than the bound is not written', () => {
  assert.throws(() => jsonFrame('x'.repeat(10), 10), OversizedFrame)
  assert.throws(() => bytesFrame(1, new Uint8Array(10), 10), OversizedFrame)
})

test('the bytes handed out share no memory with what came', () => {
  const bytes = bytesFrame(1, Uint8Array.of(1, 2))
  const [one] = [...new FrameReader().read(bytes)]
  bytes.fill(0)
  assert.deepEqual(one, { kind: 'bytes', stream: 1, bytes: Uint8Array.of(1, 2) })
})
