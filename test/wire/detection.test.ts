/** Which dialect a socket speaks, held against what every transcript opens with, on every path and under every subprotocol. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { definePlugin, type Dialect, type JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGateway } from '@isopod/testing'
import native from '../../plugins/dialect-native/index.ts'
import rpc from '../../plugins/dialect-rpc/index.ts'
import simple from '../../plugins/dialect-simple/index.ts'
import typed from '../../plugins/dialect-typed/index.ts'
import { byFirstFrame } from '../../kernel/wire/recognize.ts'
import { contributionsOf } from '../../fixtures/contributions.ts'
import { spoken, transcriptsOf } from '../../fixtures/conversation.ts'
import { Probe } from '../http/probe.ts'

const ALL = [native, rpc, simple, typed].flatMap((plugin) => [...contributionsOf(plugin).dialects.values()])
const NAMES = ['native', 'rpc', 'simple', 'typed']

interface Opening {
  readonly title: string
  readonly frame: JsonObject
}

/** The first frame of every transcript in which a client speaks. */
const OPENINGS: readonly Opening[] = NAMES.flatMap((name) =>
  transcriptsOf(name).flatMap(({ file, steps }) => {
    const frame = steps.find(({ client }) => client)?.client
    return frame ? [{ title: `${name}/${file}`, frame }] : []
  }),
)

/** Frames that are of two minds, or of none. */
const MIXED: readonly Opening[] = [
  { type: 'req', method: 'connect', id: '1' },
  { type: 'auth', method: 'system.ping', token: 'x' },
  { type: 'chat', method: 'chat.run', payload: {} },
  { type: 'request', method: 'system.ping', id: 1 },
  { type: ['auth'], method: 'system.ping' },
  { type: 'response', content: 'x' },
  { type: 'constructor' },
  { payload: { text: 'Hi' } },
  {},
].map((frame) => ({ title: JSON.stringify(frame), frame }))

/** The rule of the wire, in its order. */
function meant({ type, method }: JsonObject): string | undefined {
  if (type === 'req') return 'native'
  if (type === 'auth') return 'simple'
  if (method !== undefined) return 'rpc'
  return ['chat', 'status', 'heartbeat_trigger', 'skill_invoke'].includes(String(type)) ? 'typed' : undefined
}

/** Every order of some things. */
function orders<Thing>(things: readonly Thing[]): readonly (readonly Thing[])[] {
  if (things.length < 2) return [things]
  return things.flatMap((first, at) => orders(things.toSpliced(at, 1)).map((rest) => [first, ...rest]))
}

describe('a first frame', () => {
  it('is tried for every dialect that has transcripts', () => {
    assert.deepEqual([spoken(), ALL.map(({ name }) => name)], [NAMES, NAMES])
    assert.deepEqual(new Set(OPENINGS.map(({ frame }) => meant(frame))), new Set([...NAMES, undefined]))
  })

  for (const { title, frame } of [...OPENINGS, ...MIXED]) {
    it(`means one dialect, in whatever order they are asked: ${title}`, () => {
      for (const order of orders(ALL)) assert.equal(byFirstFrame(order, frame)?.name, meant(frame))
    })
  }
})

describe('a socket', () => {
  let gateway: TestGateway
  /** Who was asked to read each frame. */
  const readers: string[] = []

  before(async () => {
    const listening = (dialect: Dialect): Dialect => ({
      ...dialect,
      decode(frame, state) {
        readers.push(dialect.name)
        return dialect.decode(frame, state)
      },
    })
    const plugin = definePlugin(({ hooks }) => {
      hooks.dialects.tap('all', (dialects) => {
        for (const one of ALL) dialects.add(listening(one))
      })
    })
    gateway = await testGateway({ plugins: [{ id: 'all', plugin }, new Probe().plugin], config: { gateway: { limits: { authFailures: 0 } } } })
  })
  after(() => gateway.close())

  const protocols = ['', 'unknown.v1', ...ALL.flatMap(({ subprotocols = [] }) => subprotocols)]
  for (const { title, frame } of [...OPENINGS, ...MIXED]) {
    it(`speaks what its subprotocol says, else what its first frame does, on any path: ${title}`, async () => {
      for (const path of ['/', '/ws']) {
        for (const protocol of protocols) {
          for (const authorization of [`Bearer ${gateway.token}`, '']) {
            const socket = await gateway.connect(path, { authorization, 'sec-websocket-protocol': protocol })
            readers.length = 0
            const greeted = socket.frames.length
            socket.send(frame)
            const expected = ALL.find(({ subprotocols }) => subprotocols?.includes(protocol))?.name ?? meant(frame)
            assert.deepEqual(readers, expected === undefined ? [] : [expected], `${path} ${protocol}`)
            await socket.first(() => socket.frames.length > greeted)
            assert.ok(socket.frames.length > greeted, `${path} ${protocol} left it without an answer`)
            socket.close()
          }
        }
      }
    })
  }

  it('answers every frame of every other dialect in its own words, or says with a code why it closes', async () => {
    const foreign = NAMES.flatMap((name) => transcriptsOf(name).flatMap(({ steps }) => steps.flatMap(({ client }): JsonObject[] => (client ? [client] : []))))
    const firsts: readonly JsonObject[] = [{ id: 0, method: 'probe.echo' }, { type: 'auth', token: gateway.token }, { type: 'status' }]
    for (const first of firsts) {
      for (const frame of foreign) {
        const socket = await gateway.connect('/ws')
        socket.send(first)
        await socket.first(({ id, type }) => id === 0 || type === 'error' || (type === 'connected' && first['type'] === 'auth'))
        const before = socket.frames.length
        socket.send(frame)
        await socket.first(() => socket.frames.length > before)
        assert.ok(socket.frames.length > before, JSON.stringify(frame))
        assert.ok(socket.closed === undefined || socket.closed.code === 1008, JSON.stringify(frame))
        assert.deepEqual(new Set(readers.slice(-2)), new Set([meant(first)]))
        socket.close()
      }
    }
  })

  it('that speaks the native protocol is refused and closed with 1008, with and without a credential', async () => {
    for (const authorization of [`Bearer ${gateway.token}`, '']) {
      const socket = await gateway.connect('/', { authorization })
      socket.send({ type: 'req', id: '1', method: 'connect', params: {} })
      await socket.first(() => false)
      assert.partialDeepStrictEqual(socket.frames.at(-1), { type: 'res', id: '1', ok: false, error: { code: 'UNAVAILABLE' } })
      assert.equal(socket.closed?.code, 1008)
      assert.match(socket.closed?.reason ?? '', /isopod\.v1/)
    }
  })

  it('refuses what nobody knows in the plainest spelling, and lives', async () => {
    const socket = await gateway.connect('/ws', { authorization: `Bearer ${gateway.token}` })
    for (const text of ['{"type":"nobody"}', '[]', 'no JSON']) {
      socket.sendText(text)
      assert.partialDeepStrictEqual(socket.frames.at(-1), { id: null, ok: false, payload: null, error: { code: 'INVALID_REQUEST' } })
    }
    socket.send({ type: 'status', id: 's' })
    assert.partialDeepStrictEqual(socket.frames.at(-1), { type: 'error', id: 's', payload: { code: 'METHOD_NOT_FOUND' } })
    socket.close()
  })
})
