/**
 * Frames thrown at a gateway's WebSocket. Where every byte keeps to RFC 6455 the socket answers to the end, or is closed with a
 * code that says why; where they do not, it may end as it likes, but it ends. Either way nobody else notices.
 */
import fc from 'fast-check'
import { FuzzedGateway } from './fuzzed-gateway.ts'
import { endOfHead, readResponse } from './http-bytes.ts'
import { Line } from './line.ts'
import { oddText } from './odd-json.ts'
import { property, type Opening, type Subject } from './property.ts'
import { wrongFrame, wrongRefusal } from './refusal.ts'
import { readSurface } from './surface.ts'
import { messagesOf, opened, SENTINEL, tongues, withToken, type Opened, type Tongue } from './tongue.ts'
import { encodeFrame, encodeText, OPCODE, readServerBytes, type ClientFrame, type Said } from './web-socket-bytes.ts'

const NO_MASK = Uint8Array.of(0, 0, 0, 0)
const LAST_PING = 'last'
/** Codes that a client can be told of itself; 1011 would be a fault of the gateway's. */
const OWN_FAULT = [1000, 1002, 1003, 1005, 1007, 1008, 1009, 1013]
/** The first of the codes for applications (RFC 6455, 7.4.2). */
const APPLICATION = 3_000

export function framesOn(variant: 'uws' | 'ws'): Opening {
  return { noun: 'frames', variant, open: () => open(variant) }
}

async function open(transport: 'uws' | 'ws'): Promise<Subject> {
  const spoken = tongues(await readSurface())
  const gateway = await FuzzedGateway.open(transport)
  const talk = property({ name: 'talk', runs: 150, cases: talks(spoken), holds: (one: Talk) => talked(gateway, one) })
  const bytes = property({ name: 'bytes', runs: 150, cases: floods(spoken), holds: (one: Flood) => flooded(gateway, one) })
  return { properties: [talk, bytes], residentBytes: () => gateway.residentBytes(), close: () => gateway.close() }
}

/** Messages that keep to the protocol: how each is cut into frames, and the stream of them into packets. */
interface Talk {
  readonly tongue: Opened
  readonly messages: readonly { readonly text: string; readonly cuts: readonly number[]; readonly ping: boolean }[]
  readonly mask: Uint8Array
  readonly packets: readonly number[]
}

const masks = fc.oneof(fc.constant(NO_MASK), fc.uint8Array({ minLength: 4, maxLength: 4 }))
const packets = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 5 })

function talks(spoken: readonly Tongue[]): fc.Arbitrary<Talk> {
  const cuts = fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(fc.nat({ max: 200 }), { maxLength: 4 }) })
  return fc.constantFrom(...spoken).chain((tongue) => fc.record({
    tongue: fc.constant(opened(tongue)),
    messages: messagesOf(tongue).chain((texts) => fc.tuple(...texts.map((text) => fc.record({ text: fc.constant(text), cuts, ping: fc.boolean() })))),
    mask: masks,
    packets,
  }))
}

async function talked(gateway: FuzzedGateway, { tongue, messages, mask, packets: pieces }: Talk): Promise<void> {
  await withSocket(gateway, tongue, async (line, said) => {
    const sent = messages.flatMap(({ text, cuts, ping }) => [encodeText(text, cuts, mask), ...(ping ? [encodeFrame(control(OPCODE.ping, 'between'))] : [])])
    await line.send(Buffer.concat([...sent, encodeFrame(control(OPCODE.ping, LAST_PING))]), pieces)
    await said(({ pongs }) => pongs.includes(LAST_PING), 'a ping')
    const before = said.now().frames.length
    await line.send(encodeText(JSON.stringify(tongue.last), [], mask))
    const heard = await said(({ frames }) => frames.slice(before).some(answersLast), 'the last request')
    if (heard.closeCode === undefined && line.over) throw new Error('the socket was cut without a close frame, though every frame kept to the protocol')
    if ([1002, 1007].includes(heard.closeCode ?? 0)) throw new Error(`the socket was closed with ${heard.closeCode}, though every frame kept to the protocol`)
  })
}

function answersLast(frame: unknown): boolean {
  const { ok, type } = frame as { ok?: unknown; type?: unknown }
  return ok === false || type === 'error' || JSON.stringify(frame).includes(SENTINEL)
}

/** Frames of any kind in any order, with bytes of them spoilt. */
interface Flood {
  readonly tongue: Opened
  readonly frames: readonly (ClientFrame | string | Uint8Array)[]
  readonly flips: readonly (readonly [number, number])[]
  readonly packets: readonly number[]
}

const oddFrame: fc.Arbitrary<ClientFrame> = fc.record({
  fin: fc.boolean(),
  reserved: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 7 }) }),
  opcode: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...Object.values(OPCODE)) }, { weight: 1, arbitrary: fc.nat({ max: 15 }) }),
  mask: fc.oneof({ weight: 5, arbitrary: masks }, { weight: 1, arbitrary: fc.constant(undefined) }),
  payload: fc.oneof(fc.uint8Array({ maxLength: 140 }), oddText.map((text) => Buffer.from(text)), closes()),
  claims: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(0, 1, 125, 126, 65_535, 65_536, 2 ** 31, 2 ** 52) }),
})

/** Payloads of close frames: any code, any reason. */
function closes(): fc.Arbitrary<Uint8Array> {
  const code = fc.oneof(fc.constantFrom(0, 999, 1000, 1004, 1005, 1006, 1015, 3000, 4999, 5000, 65_535), fc.nat({ max: 65_535 }))
  return fc.tuple(code, fc.uint8Array({ maxLength: 124 })).map(([first, reason]) => Uint8Array.of(first >> 8, first & 0xff, ...reason))
}

function floods(spoken: readonly Tongue[]): fc.Arbitrary<Flood> {
  return fc.constantFrom(...spoken).chain((tongue) => {
    const right = messagesOf(tongue).map((texts) => texts[0] ?? '')
    const frame = fc.oneof({ weight: 3, arbitrary: right }, { weight: 3, arbitrary: oddFrame }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) })
    return fc.record({
      tongue: fc.constant(opened(tongue)),
      frames: fc.array(frame, { minLength: 1, maxLength: 8 }),
      flips: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 2 }),
      packets,
    })
  })
}

async function flooded(gateway: FuzzedGateway, { tongue, frames, flips, packets: pieces }: Flood): Promise<void> {
  await withSocket(gateway, tongue, async (line, said) => {
    const sent = Buffer.concat(frames.map((frame) => (typeof frame === 'string' ? encodeText(frame, [], NO_MASK) : frame instanceof Uint8Array ? frame : encodeFrame(frame))))
    for (const [at, bits] of flips) sent[at % sent.length] = (sent[at % sent.length] ?? 0) ^ bits
    await line.send(sent, pieces)
    line.end()
    await said(() => false, 'the end of the connection')
  }, echoOf(frames))
}

/**
 * A server answers a close frame with the code it was sent (RFC 6455, 5.5.1). Spoilt bytes make close frames of others too; codes
 * for applications are never the gateway's own.
 */
function echoOf(frames: Flood['frames']): (code: number) => boolean {
  const sent = frames.flatMap((frame) => (typeof frame === 'object' && 'opcode' in frame ? [Buffer.from(frame.payload)] : []))
  return (code) => code >= APPLICATION || sent.some((payload) => payload.length >= 2 && payload.readUInt16BE(0) === code)
}

function control(opcode: number, payload: string): ClientFrame {
  return { fin: true, reserved: 0, opcode, mask: NO_MASK, payload: Buffer.from(payload) }
}

/** Waits for what the socket says, and can be asked what it has said. */
interface Listening {
  (found: (said: Said) => boolean, what: string): Promise<Said>
  now(): Said
}

/** Opens a socket as the tongue wants it, and afterwards looks at every frame it was sent and at the gateway. */
async function withSocket(gateway: FuzzedGateway, tongue: Opened, use: (line: Line, said: Listening) => Promise<void>, isEcho: (code: number) => boolean = () => false): Promise<void> {
  await gateway.ready()
  const line = await Line.dial(gateway.port)
  try {
    await line.send(Buffer.from(withToken(handshake(tongue), gateway.token)))
    const start = await line.until(endOfHead, 'an upgrade')
    const reply = readResponse(line.received, false, line.over)
    if (start === undefined || reply?.status !== 101) return refusedUpgrade(tongue, reply)
    const now = () => readServerBytes(line.received.subarray(start))
    const said = Object.assign(async (found: (said: Said) => boolean, what: string) => {
      await line.until(() => (found(now()) || now().closeCode !== undefined ? true : undefined), what)
      return now()
    }, { now })
    if (tongue.first !== undefined) await line.send(encodeText(withToken(JSON.stringify(tongue.first), gateway.token), [], NO_MASK))
    await use(line, said)
    judge(now(), isEcho)
  } finally {
    line.drop()
    await gateway.well()
  }
}

function judge({ frames, closeCode }: Said, isEcho: (code: number) => boolean): void {
  for (const frame of frames) {
    const wrong = wrongFrame(frame)
    if (wrong !== undefined) throw new Error(`a frame is not right: ${wrong}; it is ${JSON.stringify(frame).slice(0, 1_000)}`)
  }
  if (closeCode !== undefined && !OWN_FAULT.includes(closeCode) && !isEcho(closeCode)) throw new Error(`the socket was closed with ${closeCode}`)
}

function refusedUpgrade({ path }: Opened, reply: ReturnType<typeof readResponse>): void {
  if (!reply) throw new Error('an upgrade was cut off without an answer')
  const wrong = wrongRefusal(path, reply.status, JSON.parse(reply.body.toString()))
  if (wrong !== undefined || reply.status >= 500) throw new Error(`an upgrade was refused with ${reply.status}: ${wrong ?? 'a fault of the gateway'}`)
}

function handshake({ path, headers }: Opened): string {
  const fixed = ['Host: 127.0.0.1', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
  return [`GET ${path} HTTP/1.1`, ...fixed, ...headers, '', ''].join('\r\n')
}
