import { test } from 'node:test'
import assert from 'node:assert/strict'
import { isRpcError, RpcError, type Json, type RefusalCode } from '@isopod/plugin-api'
import { openSandbox } from '../../sandbox/sandbox.ts'
import { behindWall, hostOf, toMethod, waiting } from './wall.ts'

/** What the call was refused with. */
async function refusalOf(call: Promise<unknown>): Promise<RpcError> {
  try {
    await call
  } catch (thrown) {
    assert.ok(isRpcError(thrown), String(thrown))
    return thrown
  }
  return assert.fail('it was not refused')
}

function refused(code: RefusalCode, pattern: RegExp) {
  return (thrown: unknown) => isRpcError(thrown) && thrown.code === code && pattern.test(thrown.message)
}

// What a plugin declares and answers

test('what register tapped comes back as data', async (t) => {
  const { walled } = await behindWall(t)
  const { methods, tools, models, taps, routes, dialects, starts, stops } = walled.declared
  assert.deepEqual(methods[0], { name: 'echo.say', scope: 'read', params: { type: 'object' } })
  assert.deepEqual(tools.map(({ name, effects }) => [name, effects]), [['upper', ['read']]])
  assert.deepEqual(models, [{ name: 'parrot' }])
  assert.deepEqual(taps[0], { hook: 'callStarting', name: 'guard', deadlineMs: 1_000 })
  assert.deepEqual(taps[2], { hook: 'toolCalling', name: 'first', before: 'walled-echo/last' })
  assert.deepEqual(routes.map(({ decodes, encodes }) => [decodes, encodes]), [[false, false], [true, true]])
  assert.deepEqual(dialects, [{ name: 'echo-speak', openings: [{ has: 'echo' }] }])
  assert.deepEqual([starts, stops], [true, true])
})

test('params cross and come back the same, in any script and at any size a frame holds', async (t) => {
  const { walled } = await behindWall(t)
  const params = { text: 'żółw 🐢 \u2028', deep: [{ list: [1, -1.5, true, null, ''] }], big: 'x'.repeat(3_000_000) }
  assert.deepEqual(await walled.enter(toMethod('echo.say', params)), params)
})

test('many calls at once are each answered with their own', async (t) => {
  const { walled } = await behindWall(t)
  const answers = await Promise.all(Array.from({ length: 200 }, (_, number) => walled.enter(toMethod('echo.say', { number }))))
  assert.deepEqual(answers, Array.from({ length: 200 }, (_, number) => ({ number })))
})

test('a handler that answers nothing answers undefined', async (t) => {
  const { walled } = await behindWall(t)
  assert.equal(await walled.enter(toMethod('echo.nothing')), undefined)
})

test('params are frozen inside, as they are outside', async (t) => {
  const { walled } = await behindWall(t)
  const error = await refusalOf(walled.enter(toMethod('echo.mutate', { a: 1 })))
  assert.match((error.cause as Error).message, /not extensible/)
})

for (const [kind, said] of [
  ['date', 'a Date at .when; use its toISOString() instead'],
  ['map', 'a Map at .seen; use Object.fromEntries() of it instead'],
  ['bigint', 'a BigInt at [0]; use its text instead'],
  ['nan', 'NaN at .ratio; use null where there is no number'],
  ['function', 'a function at .call; only JSON may pass here'],
  ['cycle', 'a cycle at .self; a value may not contain itself'],
] as const) {
  test(`an answer that holds ${kind === 'nan' ? 'NaN' : `a ${kind}`} is a bug that names the method and the place`, async (t) => {
    const { walled } = await behindWall(t)
    const error = await refusalOf(walled.enter(toMethod('echo.wrong', { kind })))
    assert.equal(error.code, 'internal')
    assert.equal(error.message, `echo.wrong of walled-echo 1.0.0 answered ${said}`)
  })
}

test('a message that no frame holds is refused before it is sent, and the plugin lives', async (t) => {
  const { walled } = await behindWall(t)
  await assert.rejects(walled.enter(toMethod('echo.say', { big: 'x'.repeat(33 * 1024 * 1024) })), refused('payload_too_large', /cross the wall/))
  assert.deepEqual(await walled.enter(toMethod('echo.say', { small: 1 })), { small: 1 })
})

// Errors

test('a refusal crosses with its code and every fact', async (t) => {
  const { walled } = await behindWall(t)
  const { code, message, param, retryable, retryAfterSeconds, details } = await refusalOf(walled.enter(toMethod('echo.refuse')))
  assert.deepEqual(
    { code, message, param, retryable, retryAfterSeconds, details },
    { code: 'conflict', message: 'It is there already', param: 'name', retryable: true, retryAfterSeconds: 3, details: { holder: 'x' } },
  )
})

test('a bug crosses as internal, with the author\'s own stack for the log and not for the caller', async (t) => {
  const { walled } = await behindWall(t)
  const error = await refusalOf(walled.enter(toMethod('echo.bug')))
  assert.deepEqual([error.code, error.message], ['internal', 'Internal error'])
  assert.match(String((error.cause as Error).stack), /TypeError: .*[^]*walled-echo\/index\.ts/)
})

test('a refusal of the host reaches the plugin with its code, and its own caller unchanged', async (t) => {
  const { walled } = await behindWall(t)
  const host = hostOf({ call: () => ({ ok: false, refusal: { code: 'budget_exceeded', message: 'All spent', details: { left: 0 } } }) })
  const error = await refusalOf(walled.enter(toMethod('echo.do', { act: ['call', 'chat.run', {}] }, { host })))
  assert.deepEqual([error.code, error.message, error.details], ['budget_exceeded', 'All spent', { left: 0 }])
})

test('a promise nobody waits for is logged and ends nothing', async (t) => {
  const { walled, logged } = await behindWall(t)
  await walled.enter(toMethod('echo.late'))
  assert.match(await logged(/nobody waits/), /^error Thrown where nobody caught it: Error: nobody waits for this/)
  assert.deepEqual(await walled.enter(toMethod('echo.say', {})), {})
})

test('a function that was not declared is a bug of whoever asks for it', async (t) => {
  const { walled } = await behindWall(t)
  await assert.rejects(walled.enter(toMethod('echo.unknown')), refused('internal', /walled-echo 1\.0\.0 has no method echo\.unknown/))
})

// Streams

test('a stream crosses in order and ends', async (t) => {
  const { walled } = await behindWall(t)
  const items = await Array.fromAsync(walled.stream(toMethod('echo.count', { to: 100 })))
  assert.deepEqual(items, Array.from({ length: 100 }, (_, index) => index + 1))
})

test('a reader that stops reading stops the plugin within the window', async (t) => {
  const { walled } = await behindWall(t)
  const drawn: Json[] = []
  const idle = waiting()
  const host = hostOf({
    emit: ([, data]) => {
      drawn.push(data!)
      if (drawn.length === 17) idle.resolve()
      return { ok: true }
    },
  })
  const items = walled.stream(toMethod('echo.count', { to: 1_000 }, { host }))[Symbol.asyncIterator]()
  assert.equal((await items.next()).value, 1)
  // Whatever it drew beyond its credit would have come before the answer to this.
  await walled.enter(toMethod('echo.say'))
  assert.equal(drawn.length, 16)
  for (let read = 1; read < 8; read++) await items.next()
  await idle.promise
  await items.return?.()
})

test('leaving a stream early runs the plugin\'s own clean-up, with its signal aborted', async (t) => {
  const { walled } = await behindWall(t)
  const left = waiting<Json>()
  const host = hostOf({
    emit: ([name, data]) => {
      if (name === 'echo.left') left.resolve(data!)
      return { ok: true }
    },
  })
  for await (const item of walled.stream(toMethod('echo.count', { to: 1e9 }, { host }))) if (item === 3) break
  assert.deepEqual(await left.promise, { aborted: true })
})

test('a stream that fails throws the refusal after the items that came', async (t) => {
  const { walled } = await behindWall(t)
  const items: unknown[] = []
  const error = await refusalOf(
    (async () => {
      for await (const item of walled.stream(toMethod('echo.broken'))) items.push(item)
    })(),
  )
  assert.deepEqual([items, error.code, error.retryAfterSeconds], [[1], 'rate_limited', 2])
})

test('bytes cross as bytes', async (t) => {
  const { walled } = await behindWall(t)
  const items = await Array.fromAsync(walled.stream(toMethod('echo.bytes')))
  assert.deepEqual(items, [Uint8Array.of(1, 2, 3), new TextEncoder().encode('four')])
})

test('a stream of the host is read by the plugin no faster than it takes, and left where it leaves', async (t) => {
  const { walled } = await behindWall(t)
  const ended = waiting<number>()
  async function* numbers(): AsyncGenerator<Json> {
    let number = 0
    try {
      for (;;) yield ++number
    } finally {
      ended.resolve(number)
    }
  }
  const host = hostOf({ stream: () => ({ ok: true, stream: numbers() }) })
  const answer = await walled.enter(toMethod('echo.do', { act: ['stream', 'log.follow', {}], leaveAfter: 3 }, { host }))
  assert.deepEqual(answer, [1, 2, 3])
  assert.ok((await ended.promise) <= 16)
})

test('a stream of the host that fails throws inside the plugin', async (t) => {
  const { walled } = await behindWall(t)
  async function* failing(): AsyncGenerator<Json> {
    yield 1
    throw new RpcError('not_found', 'It went away')
  }
  const host = hostOf({ useModel: () => ({ ok: true, stream: failing() }) })
  await assert.rejects(walled.enter(toMethod('echo.do', { act: ['useModel', 'm', {}] }, { host })), refused('not_found', /went away/))
})

// Stopping

test('a cancellation reaches the plugin as the reason of its signal', async (t) => {
  const { walled } = await behindWall(t)
  const stop = new AbortController()
  const host = hostOf({
    emit: () => {
      stop.abort(new RpcError('cancelled', 'The caller changed his mind'))
      return { ok: true }
    },
  })
  const call = walled.enter(toMethod('echo.hang', {}, { host, signal: stop.signal }))
  await assert.rejects(call, refused('cancelled', /changed his mind/))
})

test('a deadline that has passed already is seen by the plugin at once', async (t) => {
  const { walled } = await behindWall(t)
  const signal = AbortSignal.abort(new RpcError('timeout', 'It took too long'))
  await assert.rejects(walled.enter(toMethod('echo.hang', {}, { signal })), refused('timeout', /too long/))
})

test('a process that is killed settles its calls and streams as unavailable, and the next load works', async (t) => {
  const hanging = waiting()
  const host = hostOf({
    emit: () => {
      hanging.resolve()
      return { ok: true }
    },
  })
  const { walled } = await behindWall(t)
  const call = walled.enter(toMethod('echo.hang', {}, { host }))
  const stream = walled.stream(toMethod('echo.count', { to: 1e9 }))[Symbol.asyncIterator]()
  await stream.next()
  await hanging.promise
  process.kill(pidOf(walled), 'SIGKILL')
  const error = await refusalOf(call)
  assert.deepEqual([error.code, error.retryable, error.message], ['unavailable', true, 'walled-echo 1.0.0 is not running: it was killed by SIGKILL'])
  await assert.rejects(Array.fromAsync({ [Symbol.asyncIterator]: () => stream }), refused('unavailable', /SIGKILL/))
  assert.equal(await walled.ended, 'it was killed by SIGKILL')
  await assert.rejects(walled.enter(toMethod('echo.say')), refused('unavailable', /not running/))
  const { walled: next } = await behindWall(t)
  assert.deepEqual(await next.enter(toMethod('echo.say', { again: 1 })), { again: 1 })
})

test('a plugin that never comes back is ended when it misses its heartbeats', async (t) => {
  const { walled } = await behindWall(t, 'walled-echo', { heartbeatMs: 20 })
  await assert.rejects(walled.enter(toMethod('echo.spin')), refused('unavailable', /did not answer for 60 ms/))
})

test('a plugin that takes too much memory ends alone, and the reason says so', async (t) => {
  const { walled } = await behindWall(t, 'walled-echo', { heapMb: 32, heartbeatMs: 10_000 })
  await assert.rejects(walled.enter(toMethod('echo.exhaust')), refused('unavailable', /it ran out of memory/))
})

test('a plugin that never finishes stopping is stopped all the same', async (t) => {
  const { walled } = await behindWall(t, 'walled-stubborn', { stopMs: 20 })
  const stop = walled.enter({ target: { kind: 'stop', name: '' }, args: [] })
  await assert.rejects(stop, refused('unavailable', /its `stop` took longer than 20 ms/))
})

test('closing ends the process and settles what was under way', async (t) => {
  const { walled } = await behindWall(t)
  const call = assert.rejects(walled.enter(toMethod('echo.hang')), refused('unavailable', /it was closed/))
  await walled.close()
  await call
  assert.throws(() => process.kill(pidOf(walled), 0), /ESRCH/)
})

// The realm

test('Node\'s own names are not there, and the web\'s are', async (t) => {
  const { walled } = await behindWall(t)
  assert.deepEqual(await walled.enter(toMethod('echo.globals')), ['undefined', 'undefined', 'undefined', 'function'])
})

test('using one of them says what it is', async (t) => {
  const { walled } = await behindWall(t)
  const error = await refusalOf(walled.enter(toMethod('echo.process')))
  assert.match((error.cause as Error).message, /`process` is Node's own and does not exist behind the wall/)
})

test('fetch and WebSocket are there and not granted', async (t) => {
  const { walled } = await behindWall(t)
  await assert.rejects(walled.enter(toMethod('echo.fetch')), refused('forbidden', /`fetch` is not granted to walled-echo 1\.0\.0/))
  await assert.rejects(walled.enter(toMethod('echo.socket')), refused('forbidden', /`WebSocket` is not granted/))
})

test('timers are the web\'s: numbers, and cleared by them', async (t) => {
  const { walled } = await behindWall(t)
  assert.equal(await walled.enter(toMethod('echo.timer')), 'number')
})

test('the console goes to the log', async (t) => {
  const { walled, logged } = await behindWall(t)
  await walled.enter(toMethod('echo.console'))
  assert.equal(await logged(/seen by/), 'info seen by { nobody: 0 }')
})

test('importing one of Node\'s own modules late is refused as it is early', async (t) => {
  const { walled } = await behindWall(t)
  const error = await refusalOf(walled.enter(toMethod('echo.import')))
  assert.match((error.cause as Error).message, /`node:fs` is Node's own and cannot be imported behind the wall/)
})

for (const [id, what, pattern] of [
  ['walled-node', 'imports a module of Node\'s own', /`node:fs` is Node's own and cannot be imported behind the wall/],
  ['walled-eager', 'sets a timer in register', /`register` called setTimeout: it only declares/],
  ['walled-twice', 'taps a hook twice by one name', /the tap walled-twice\/guard of toolCalling is there twice/],
  ['walled-scope', 'declares a scope that does not exist', /`register` declared a wrong `scope` in methods: root\.shell/],
  ['walled-empty', 'exports no plugin', /no plugin as its default export/],
] as const) {
  test(`a plugin that ${what} is not loaded, and told why`, async (t) => {
    await assert.rejects(behindWall(t, id), pattern)
  })
}

test('a plugin whose register never ends is ended at its deadline', async (t) => {
  await assert.rejects(behindWall(t, 'walled-endless', { loadMs: 400 }), /it was not loaded within 400 ms/)
})

test('a sandbox says what is in force', () => {
  assert.equal(openSandbox().level, 'stand-in')
})

// The context

test('the data of the context is what the entry brought', async (t) => {
  const { walled } = await behindWall(t)
  const answer = (await walled.enter(toMethod('echo.about'))) as { id: string; now: number }
  const { id, now, ...rest } = answer
  assert.deepEqual(rest, {
    caller: { id: 'token:t', scopes: ['read'], origin: 'owner', address: '127.0.0.1' },
    config: { greeting: 'hello' },
    run: null,
    frozen: true,
  })
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4/)
  assert.ok(now >= 1_000_000)
})

for (const [act, op, value] of [
  [['call', 'a.b', { x: 1 }], 'call ["a.b",{"x":1},{}]', { y: 2 }],
  [['call', 'a.b', {}, { origin: 'agent', outliving: true }], 'call ["a.b",{},{"origin":"agent","outliving":true}]', 1],
  [['spawn', 'a.b', {}, { s: 1 }], 'spawn ["a.b",{},{"s":1},{}]', 'run-1'],
  [['spawn', 'a.b', {}, { s: 1 }, { as: 'self' }], 'spawn ["a.b",{},{"s":1},{"as":"self"}]', 'run-1'],
  [['store.get', 'c', 'k'], 'store.get ["c","k"]', { key: 'k', value: 1, version: 1 }],
  [['store.list', 'c'], 'store.list ["c",{}]', []],
  [['store.read', 's', { after: 3 }], 'store.read ["s",{"after":3}]', []],
  [['store.write', [{ put: 'c', key: 'k', value: 1 }]], 'store.write [[{"put":"c","key":"k","value":1}]]', [1]],
  [['runs.abort', 'r'], 'runs.abort ["r"]', true],
  [['runs.state', 'r'], 'runs.state ["r"]', { id: 'r' }],
  [['runs.follow', 'r', 7], 'runs.follow ["r",7]', { id: 'r' }],
  [['ask', 'toolCalling', { tool: 'x' }], 'ask ["toolCalling",{"tool":"x"}]', { subject: { tool: 'y' } }],
  [['catalog', 'tools'], 'catalog ["tools"]', [{ name: 'x' }]],
  [['useTool', 'x', { a: 1 }], 'useTool ["x",{"a":1},{}]', 'done'],
  [['gateway'], 'gateway []', { port: 1 }],
] as const) {
  test(`ctx.${act[0]} is asked of the host and answers what it answers: ${op}`, async (t) => {
    const { walled } = await behindWall(t)
    const host = hostOf({ [act[0]]: () => ({ ok: true, value }) })
    assert.deepEqual(await walled.enter(toMethod('echo.do', { act }, { host })), { answer: value })
    assert.deepEqual(host.asked, [op])
  })
}

test('opening a run gives the context its id', async (t) => {
  const { walled } = await behindWall(t)
  const host = hostOf({ 'runs.open': () => ({ ok: true, value: 'run-9' }) })
  assert.deepEqual(await walled.enter(toMethod('echo.do', { act: ['runs.open', {}] }, { host })), { answer: 'run-9', run: 'run-9' })
})

test('log lines carry their facts, whatever those are', async (t) => {
  const { walled } = await behindWall(t)
  const host = hostOf({})
  await walled.enter(toMethod('echo.do', { act: ['log.warn', 'careful', { a: 1 }] }, { host }))
  assert.deepEqual(host.asked, ['log ["warn","careful",{"a":1}]'])
})

test('the context of start stays good after it, until stop', async (t) => {
  const { walled } = await behindWall(t)
  const later = waiting<Json>()
  const host = hostOf({
    emit: (args) => {
      later.resolve(args)
      return { ok: true }
    },
  })
  await walled.enter({ ...toMethod('start', {}, { host }), target: { kind: 'start', name: '' }, args: [] })
  assert.deepEqual(await later.promise, ['echo.started', { at: true }, {}])
})

function pidOf(walled: object): number {
  return (walled as { readonly pid: number }).pid
}
