/** Whatever comes from outside gets an answer or a close code: frames and bodies that nobody wrote by hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testGateway, type TestSocket } from '@isopod/testing'
import { Probe } from '../http/probe.ts'
import { tongues } from './tongues.ts'

const RUNS = { numRuns: 300 }

/** Texts from hopeless to nearly right. */
const text = fc.oneof(
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 2, arbitrary: fc.json({ maxDepth: 6 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 200 }).map((depth) => `${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`) },
  {
    weight: 4,
    arbitrary: fc
      .record(
        {
          id: fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constant('__proto__')),
          method: fc.oneof(fc.constantFrom('probe.echo', 'probe.run', 'probe.fail', 'chat.run', 'auth', 'events.subscribe', '__proto__', 'constructor', 'toString'), fc.jsonValue({ maxDepth: 1 })),
          params: fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant({ texts: ['a'] }), fc.constant({ events: ['probe.done'] })),
          type: fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom('req', 'auth', 'chat', 'status', 'heartbeat_trigger', 'skill_invoke')),
          payload: fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.record({ text: fc.jsonValue({ maxDepth: 1 }), context: fc.jsonValue({ maxDepth: 2 }), options: fc.jsonValue({ maxDepth: 1 }) }, { requiredKeys: [] })),
          token: fc.jsonValue({ maxDepth: 0 }),
        },
        { requiredKeys: [] },
      )
      .map((frame) => JSON.stringify(frame)),
  },
)

/** A call that must be answered, unless the socket was closed before. */
async function isAlive(socket: TestSocket): Promise<boolean> {
  socket.sendText(JSON.stringify({ id: 'alive', method: 'probe.echo' }))
  return (await socket.first(({ id, error }) => id === 'alive' || (error as { code?: string } | null)?.code === 'UNAUTHORIZED')) !== undefined
}

test('any frames leave a socket that answers, or one that was closed with a code', async (t) => {
  const gateway = await testGateway({ plugins: ['dialect-native', 'dialect-rpc', 'dialect-simple', 'dialect-typed', new Probe().plugin], renewEvery: 50, config: { gateway: { limits: { authFailures: 0 } } } })
  t.after(() => gateway.close())
  for (const authorization of [`Bearer ${gateway.token}`, '']) {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 8 }), async (frames) => {
        const socket = await gateway.connect('/', { authorization })
        for (const frame of frames) {
          const before = socket.frames.length
          if (socket.closed) break
          socket.sendText(frame)
          assert.ok(socket.closed || socket.frames.length > before || (await isAlive(socket)))
        }
        assert.ok((await isAlive(socket)) || (socket.closed?.code ?? 0) >= 1000)
        socket.close()
      }),
      RUNS,
    )
  }
  assert.deepEqual(gateway.log.recent({ limit: 1000 }).entries.filter(({ message }) => message.startsWith('A dialect failed')), [])
})

test('any frames to dialects that take their time leave none waiting for ever', async (t) => {
  const gateway = await testGateway({ plugins: [new Probe().plugin, tongues('x', { name: 'slow', slow: true, openings: [{}] })] })
  t.after(() => gateway.close())
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 8 }), async (frames) => {
      const socket = await gateway.connect()
      for (const frame of frames) socket.sendText(frame)
      socket.send({ id: 'last', call: 'probe.echo' })
      const last = await socket.first(({ id }) => id === 'last')
      assert.ok(last !== undefined || socket.closed !== undefined)
      socket.close()
    }),
    RUNS,
  )
})

test('any body gets one answer, JSON with a status of its own', async (t) => {
  const gateway = await testGateway({ plugins: [new Probe().plugin] })
  t.after(() => gateway.close())
  const paths = fc.constantFrom('/probe/echo', '/probe/open', '/probe/refuse', '/api/v1/refuse', '/probe/teapot', '/nowhere')
  const types = fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain', '')
  const bodies = fc.oneof(text, fc.uint8Array({ maxLength: 200 }))
  await fc.assert(
    fc.asyncProperty(paths, types, bodies, async (path, type, body) => {
      const response = await gateway.fetch(path, { method: 'POST', body, ...(type !== '' && { headers: { 'content-type': type } }) })
      const answer: unknown = await response.json()
      assert.ok(typeof answer === 'object' && answer !== null)
      assert.ok(response.status === 200 || response.status === 202 || (response.status >= 400 && response.status < 500), String(response.status))
    }),
    RUNS,
  )
})

test('any URL gets an answer', async (t) => {
  const gateway = await testGateway({ plugins: [new Probe().plugin] })
  t.after(() => gateway.close())
  const piece = fc.oneof(fc.string({ maxLength: 12 }).map(encodeURIComponent), fc.constantFrom('probe', 'typed', 'files', 'items', '%', '%zz', '%2e%2e', '..', ''))
  const url = fc.tuple(fc.array(piece, { maxLength: 5 }), fc.array(fc.tuple(fc.oneof(piece, fc.constantFrom('limit', 'token', '__proto__')), piece), { maxLength: 4 }))
  await fc.assert(
    fc.asyncProperty(url, async ([path, query]) => {
      const response = await gateway.fetch(`http://localhost/${path.join('/')}?${query.map((pair) => pair.join('=')).join('&')}`)
      assert.ok(response.status === 200 || (response.status >= 400 && response.status < 500), String(response.status))
    }),
    RUNS,
  )
})
