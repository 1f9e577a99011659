/**
 * Params thrown at every method that a gateway lists, over the rpc dialect: made from the method's own schema, so that most get
 * past the check, and bent around it. Every call is answered under its id, and never with a fault of the gateway's own.
 * Methods that go on until their caller leaves are met in `frames.ts` alone.
 */
import fc from 'fast-check'
import type { Json, JsonObject } from '@isopod/plugin-api'
import { FuzzedGateway } from './fuzzed-gateway.ts'
import { fromSchema, type Fields } from './from-schema.ts'
import { endOfHead } from './http-bytes.ts'
import { Line } from './line.ts'
import { bent, oddText } from './odd-json.ts'
import { property, type Opening, type Subject } from './property.ts'
import { wrongFrame } from './refusal.ts'
import { readSurface, type Surface } from './surface.ts'
import { encodeText, readServerBytes } from './web-socket-bytes.ts'

/** Values without which hardly a call would mean anything: sessions and tools that are there. */
const FIELDS: Fields = {
  sessionKey: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('fuzz-a', 'fuzz-b', 'hook:a') }, { weight: 1, arbitrary: oddText }),
  model: fc.oneof({ weight: 2, arbitrary: fc.constantFrom('isopod/offline', 'openclaw', 'gpt-4') }, { weight: 1, arbitrary: oddText }),
  agentId: fc.oneof({ weight: 2, arbitrary: fc.constant('default') }, { weight: 1, arbitrary: oddText }),
}

export const calls: Opening = { noun: 'calls', open }

async function open(): Promise<Subject> {
  const surface = await readSurface()
  const gateway = await FuzzedGateway.open('uws')
  const params = property({ name: 'params', runs: 200, cases: wishes(surface), holds: (some: readonly Wish[]) => allAnswered(gateway, some) })
  return { properties: [params], residentBytes: () => gateway.residentBytes(), close: () => gateway.close() }
}

interface Wish {
  readonly method: string
  readonly params: Json
}

/** A few calls on one socket at once. */
function wishes({ methods, tools }: Surface): fc.Arbitrary<readonly Wish[]> {
  const ending = methods.filter(({ endless }) => !endless)
  const plain = fc.constantFrom(...ending).chain(({ name, params }) => fc.record({ method: fc.constant(name), params: bent(fromSchema(params, FIELDS)) }))
  const tool = fc.constantFrom(...tools).chain(({ name, params }) => bent(fromSchema(params)).map((given) => ({ method: 'tool.invoke', params: { tool: name, params: given } })))
  const one = fc.oneof({ weight: 5, arbitrary: plain }, { weight: 1, arbitrary: tool })
  return fc.array(one, { minLength: 1, maxLength: 4 })
}

async function allAnswered(gateway: FuzzedGateway, some: readonly Wish[]): Promise<void> {
  await gateway.ready()
  const line = await Line.dial(gateway.port)
  try {
    await line.send(Buffer.from(UPGRADE.replace('TOKEN', gateway.token)))
    const start = await line.until(endOfHead, 'an upgrade')
    if (start === undefined) throw new Error('an upgrade was cut off without an answer')
    const mask = Uint8Array.of(1, 2, 3, 4)
    await line.send(Buffer.concat(some.map(({ method, params }, id) => encodeText(JSON.stringify({ id, method, params }), [], mask))))
    const said = () => readServerBytes(line.received.subarray(start))
    // A frame that cannot be read as JSON, as one that is nested too deep, is refused under no id.
    const replies = () => said().frames.filter((frame) => typeof (frame as JsonObject)['id'] === 'number' || (frame as JsonObject)['ok'] === false)
    const names = some.map(({ method }) => method).join(', ')
    await line.until(() => (replies().length >= some.length || said().closeCode !== undefined ? true : undefined), names)
    judge(names, replies(), some.length, said().closeCode)
  } finally {
    line.drop()
    await gateway.well()
  }
}

function judge(names: string, replies: readonly unknown[], wanted: number, closeCode: number | undefined): void {
  if (replies.length !== wanted) throw new Error(`${names}: ${replies.length} replies of ${wanted}; the socket was closed with ${closeCode ?? 'no code'}`)
  for (const reply of replies) {
    const wrong = wrongFrame(reply)
    if (wrong !== undefined) throw new Error(`a refusal of ${names} is not right: ${wrong}; it is ${JSON.stringify(reply).slice(0, 1_000)}`)
  }
}

const UPGRADE = [
  'GET / HTTP/1.1', 'Host: 127.0.0.1', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: isopod.v1', 'Authorization: Bearer TOKEN', '', '',
].join('\r\n')
