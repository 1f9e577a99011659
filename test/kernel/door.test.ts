import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { setImmediate as immediate } from 'node:timers/promises'
import type { Gateway, Json, WalledEntry, WalledPlugin } from '@isopod/plugin-api'
import { testGateway, type TestGateway, type TestGatewayOptions } from '@isopod/testing'
import { carryOut } from '../../kernel/door-ops.ts'
import { walledContributions } from '../../kernel/door.ts'

const ECHO = new URL('../../fixtures/plugins/walled-echo/', import.meta.url)

async function gatewayWith(t: TestContext, options: Partial<TestGatewayOptions>): Promise<TestGateway> {
  const gateway = await testGateway({ plugins: [ECHO], renewEvery: 0, config: { plugins: { 'walled-echo': { config: {} } } }, ...options })
  t.after(() => gateway.close())
  return gateway
}

// What an author must not be able to tell apart

for (const [wall, where] of [[true, 'behind the wall'], [false, 'in this process']] as const) {
  test(`${where}, a method answers what it is asked`, async (t) => {
    const gateway = await gatewayWith(t, { wall })
    assert.deepEqual(await gateway.client().call('echo.say', { a: [1, { b: null }] }), { a: [1, { b: null }] })
    assert.equal(await gateway.client().call('echo.nothing'), null)
  })

  test(`${where}, a refusal, a bug and an answer that is no JSON are told in the same words`, async (t) => {
    const client = (await gatewayWith(t, { wall })).client()
    assert.deepEqual(await client.refusal('echo.refuse'), {
      code: 'conflict',
      message: 'It is there already',
      param: 'name',
      retryable: true,
      retryAfterSeconds: 3,
      details: { holder: 'x' },
    })
    assert.deepEqual(await client.refusal('echo.bug'), { code: 'internal', message: 'Internal error' })
    const wrong = await client.refusal('echo.wrong', { kind: 'date' })
    assert.equal(wrong.message, 'echo.wrong of walled-echo 1.0.0 answered a Date at .when; use its toISOString() instead')
  })

  test(`${where}, params that do not fit the schema never reach the plugin`, async (t) => {
    const gateway = await gatewayWith(t, { wall })
    assert.equal((await gateway.client().refusal('echo.do', {})).code, 'invalid_request')
  })

  test(`${where}, what a handler asks of its context is done`, async (t) => {
    const client = (await gatewayWith(t, { wall })).client()
    const act = async (...given: Json[]) => ((await client.call('echo.do', { act: given })) as { answer?: Json }).answer
    assert.deepEqual(await act('call', 'echo.say', { deep: 1 }), { deep: 1 })
    assert.deepEqual(await act('store.write', [{ put: 'c', key: 'k', value: { n: 1 } }]), [1])
    assert.deepEqual(await act('store.get', 'c', 'k'), { key: 'k', value: { n: 1 }, version: 1 })
    assert.equal(await act('store.get', 'c', 'absent'), undefined)
    assert.equal(((await act('gateway')) as { version: string }).version, '0.0.0-test')
    await act('emit', 'echo.told', { to: 'everyone' })
  })

  test(`${where}, an inner stream is read and left early`, async (t) => {
    const client = (await gatewayWith(t, { wall })).client()
    assert.deepEqual(await client.call('echo.do', { act: ['stream', 'echo.count', { to: 1e9 }], leaveAfter: 4 }), [1, 2, 3, 4])
    assert.deepEqual(await client.refusal('echo.do', { act: ['stream', 'echo.broken', {}] }), { code: 'rate_limited', message: 'That was enough', retryAfterSeconds: 2 })
  })

  test(`${where}, what only another noun may do is forbidden`, async (t) => {
    const client = (await gatewayWith(t, { wall })).client()
    for (const act of [['ask', 'toolCalling', {}], ['useTool', 'upper', {}], ['useModel', 'parrot', {}], ['catalog', 'tools']]) {
      assert.equal((await client.refusal('echo.do', { act })).code, 'forbidden', String(act[0]))
    }
  })

  test(`${where}, a call that is cancelled stops the plugin, with the reason`, async (t) => {
    const client = (await gatewayWith(t, { wall })).client()
    const stop = new AbortController()
    const refusal = client.call('echo.do', { act: ['call', 'echo.hang', {}] }, { signal: stop.signal }).catch((thrown: { code: string }) => thrown.code)
    stop.abort()
    assert.equal(await refusal, 'cancelled')
  })

  test(`${where}, a tap of callStarting refuses, and another changes the params`, async (t) => {
    const plugin = {
      id: 'things',
      plugin: {
        register: (gateway: Gateway) =>
          gateway.hooks.methods.tap('things', (methods) => {
            for (const name of ['forbidden.thing', 'changed.thing']) methods.add({ name, scope: 'read', params: { type: 'object' }, handle: (params) => params })
          }),
      },
    }
    const client = (await gatewayWith(t, { wall, plugins: [ECHO, plugin] })).client()
    assert.deepEqual(await client.call('changed.thing', { a: 1 }), { a: 1, seen: true })
    const refusal = await client.refusal('forbidden.thing')
    assert.deepEqual([refusal.code, refusal.message, refusal.details], ['forbidden', 'not while this plugin watches', { by: 'walled-echo/guard' }])
  })

  test(`${where}, a tool and a model API are there for the noun that runs them`, async (t) => {
    const client = (await gatewayWith(t, { wall, plugins: [ECHO, 'tools'] })).client()
    assert.deepEqual(await client.call('tool.invoke', { tool: 'upper', params: { text: 'loud' } }), { result: 'LOUD' })
    assert.equal((await client.refusal('tool.invoke', { tool: 'upper', params: {} })).code, 'invalid_request')
  })

  test(`${where}, rows of routes spell requests and replies`, async (t) => {
    const gateway = await gatewayWith(t, { wall })
    assert.deepEqual(await (await gateway.fetch('/echo/word')).json(), { word: 'word' })
    const reply = await gateway.fetch('/echo?q=1', { method: 'POST', body: '{"x":1}', headers: { 'content-type': 'application/json' } })
    assert.deepEqual([reply.status, await reply.json()], [201, { ok: true }])
  })
}

test('a swap ends the process of the instance it replaces', { timeout: 30_000 }, async (t) => {
  const gateway = await gatewayWith(t, { wall: true })
  await gateway.renew()
  assert.deepEqual(await gateway.client().call('echo.say', { after: 'a swap' }), { after: 'a swap' })
  while (childProcesses() > 1) await immediate() // the old instance drains first; without its end this never does
  assert.deepEqual(await gateway.client().call('echo.say', { after: 'its end' }), { after: 'its end' })
})

test('a process that dies takes nobody with it, and its calls may be tried again', async (t) => {
  const gateway = await gatewayWith(t, { wall: true })
  const { code, retryable } = await gateway.client().refusal('echo.exhaust')
  assert.deepEqual([code, retryable], ['unavailable', true])
})

test('secrets do not cross the wall', async (t) => {
  const gateway = await gatewayWith(t, { wall: true })
  const refusal = await gateway.client().refusal('echo.do', { act: ['reveal', { secret: 'x' }] })
  assert.deepEqual(refusal, { code: 'forbidden', message: 'Secrets do not cross the wall' })
})

function childProcesses(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap').length
}

// What the kernel believes of a plugin it cannot see into

/** A plugin that declares and answers what it is told to. */
function scripted(declared: Partial<WalledPlugin['declared']>, answer: (entry: WalledEntry) => Json | undefined = () => null) {
  const closed: string[] = []
  const walled: WalledPlugin = {
    declared: { methods: [], routes: [], dialects: [], tools: [], models: [], channels: [], taps: [], starts: false, stops: false, ...declared },
    enter: async (entry) => answer(entry),
    stream: () => {
      throw new Error('nothing streams here')
    },
    ended: new Promise(() => {}),
    close: async () => void closed.push('closed'),
  }
  return { walled, closed }
}

test('a declaration no generation could hold is refused, and its process ended', () => {
  const { walled, closed } = scripted({ methods: [{ name: 'No Noun', scope: 'read' }] })
  assert.throws(() => walledContributions(walled, 'x'), /methods: name "No Noun" is not `noun\.verb`/)
  assert.deepEqual(closed, ['closed'])
})

test('a tap of a hook that does not exist is refused by name', () => {
  const { walled } = scripted({ taps: [{ hook: 'constructor', name: 'sly' }] })
  assert.throws(() => walledContributions(walled, 'x'), /the tap `sly` taps constructor, and there is no such hook/)
})

test('taps carry the plugin\'s id and a deadline no longer than allowed', () => {
  const { walled } = scripted({ taps: [{ hook: 'toolCalling', name: 'guard', before: 'y/z', deadlineMs: 1e9 }] })
  const [tap] = walledContributions(walled, 'x').taps
  assert.deepEqual([tap?.name, tap?.before, tap?.deadlineMs], ['x/guard', 'y/z', 5_000])
})

test('stopping ends the process, whether or not the plugin has a stop', async () => {
  const { walled, closed } = scripted({})
  await walledContributions(walled, 'x').stop?.()
  assert.deepEqual(closed, ['closed'])
})

test('a plugin whose start never ran is not asked to undo it', async () => {
  const entered: string[] = []
  const { walled, closed } = scripted({ starts: true, stops: true }, ({ target }) => {
    entered.push(target.kind)
    return undefined
  })
  await walledContributions(walled, 'x').stop?.()
  assert.deepEqual([entered, closed], [[], ['closed']])
})

test('stopping ends the process even where the plugin\'s own stop fails', async () => {
  const { walled, closed } = scripted({ stops: true }, () => {
    throw new Error('stop failed')
  })
  await assert.rejects(async () => walledContributions(walled, 'x').stop?.(), /stop failed/)
  assert.deepEqual(closed, ['closed'])
})

const SUBJECT = { tool: 'x', args: {}, effects: [], caller: { id: 'a', scopes: [], origin: 'agent' } } as const

for (const [what, answer, fits] of [
  ['nothing', undefined, true],
  ['a refusal', { refuse: 'no' }, true],
  ['a change', { change: { args: 1 } }, true],
  ['a refusal without words', { refuse: true }, false],
  ['a change that is no object', { change: 'all' }, false],
  ['both at once', { refuse: 'no', change: {} }, false],
  ['a text', 'allowed', false],
  ['false', false, false],
] as const) {
  test(`a tap that answers ${what} is ${fits ? 'believed' : 'not believed'}`, async () => {
    const { walled } = scripted({ taps: [{ hook: 'toolCalling', name: 'guard' }] }, () => answer)
    const [tap] = walledContributions(walled, 'x').taps
    const run = Promise.resolve(tap?.run(SUBJECT as never, CONTEXT as never))
    if (fits) assert.deepEqual(await run, answer)
    else await assert.rejects(run, /the tap x\/guard of toolCalling answered what it may not/)
  })
}

for (const [kind, answer, fits] of [
  ['greet', { state: 0, frames: [{ a: 1 }] }, true],
  ['greet', { frames: [] }, false],
  ['greet', { state: 0, frames: ['text'] }, false],
  ['decode', { state: 1, wish: { do: 'nothing' } }, true],
  ['decode', { state: 1, wish: { do: 'call', id: 1, method: 'a.b', params: {} } }, true],
  ['decode', { state: 1, wish: { do: 'call', id: 1, method: 'a.b', params: [] } }, false],
  ['decode', { state: 1, wish: { do: 'refuse', id: 1, refusal: { code: 'root', message: 'x' } } }, false],
  ['decode', { state: 1, wish: { do: 'sudo' } }, false],
  ['decode', null, false],
] as const) {
  test(`${kind} of a dialect that answers ${JSON.stringify(answer)} is ${fits ? 'believed' : 'not believed'}`, async () => {
    const { walled } = scripted({ dialects: [{ name: 'd' }] }, () => answer)
    const dialect = walledContributions(walled, 'x').dialects[0]!
    const run = Promise.resolve(kind === 'greet' ? dialect.greet({} as never) : dialect.decode({}, 0))
    if (fits) assert.deepEqual(await run, answer)
    else await assert.rejects(run, /answered what it may not/)
  })
}

for (const [answer, fits] of [
  [{ params: {}, state: 1, stream: true, patienceMs: 30_000 }, true],
  [{ params: {}, patienceMs: 'long' }, false],
  [{ params: {}, patienceMs: -1 }, false],
  [{ params: {}, method: 'config.update' }, false],
  [{ params: [] }, false],
  [null, false],
] as const) {
  test(`decode of a row that answers ${JSON.stringify(answer)} is ${fits ? 'believed' : 'not believed'}`, async () => {
    const { walled } = scripted({ routes: [{ verb: 'GET', path: '/r', call: 'x.y', decodes: true, encodes: false }] }, () => answer)
    const run = Promise.resolve(walledContributions(walled, 'x').routes[0]!.decode?.({} as never))
    if (fits) assert.deepEqual(await run, answer)
    else await assert.rejects(run, /answered what it may not/)
  })
}

const lines: string[] = []
const CONTEXT = {
  caller: { id: 'a', scopes: [], origin: 'agent' },
  config: {},
  signal: new AbortController().signal,
  now: () => 1,
  runId: undefined,
  store: { write: async () => [1] },
  log: { error: (message: string) => void lines.push(message) },
  call: async (...args: unknown[]) => args.slice(0, 2),
  emit: () => {
    throw new Error('emit is broken')
  },
}

for (const [op, args, pattern] of [
  ['constructor', [], /method_not_found.*no constructor/],
  ['__proto__', [], /method_not_found/],
  ['call', [7, {}, {}], /invalid_request.*ctx\.call takes text as its argument 1/],
  ['call', ['a.b', [], {}], /takes an object as its argument 2/],
  ['call', ['a.b', {}, { origin: 'root' }], /takes an origin, one of owner/],
  ['call', ['a.b', {}, { as: 'owner' }], /takes `self` in `as`/],
  ['log', ['constructor', 'x', {}], /takes one of debug, info, warn, error/],
  ['store.write', [[1]], /takes a list of objects/],
  ['runs.follow', ['r', -1], /forbidden.*`start`/],
  ['reveal', [{ secret: 'x' }], /forbidden.*Secrets do not cross/],
] as const) {
  test(`the op ${op} with ${JSON.stringify(args)} is refused and not thrown`, async () => {
    const answer = await carryOut(CONTEXT as never, op, args, new AbortController().signal)
    assert.ok(!answer.ok)
    assert.match(`${answer.refusal.code} ${answer.refusal.message}`, pattern)
  })
}

test('a context that breaks is logged by the kernel, and the plugin learns nothing of it', async () => {
  const answer = await carryOut(CONTEXT as never, 'emit', ['a.b', {}, {}], new AbortController().signal)
  assert.deepEqual(answer, { ok: false, refusal: { code: 'internal', message: 'Internal error' } })
  assert.deepEqual(lines.splice(0).filter((line) => line === 'ctx.emit failed'), ['ctx.emit failed'])
})
