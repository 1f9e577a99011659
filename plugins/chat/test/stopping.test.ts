import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RpcError } from '@isopod/plugin-api'
import chat from '../index.ts'
import { callTool, finish, message, refused, result, say, settled, ScriptedGateway } from './scripted-gateway.ts'

test('an abort in the middle of a word keeps what was said and is told as cancelled', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[say('I was go'), 'hang']] })
  const running = gateway.call('chat.run', { message: 'Hi', sessionKey: 's' })
  await gateway.until('chat.delta I was go')
  assert.deepEqual(await gateway.call('chat.abort', { runId: 'run-1' }), { ok: true, aborted: true })
  await assert.rejects(running, refused('cancelled'))
  assert.deepEqual(gateway.story, ['kept begin', 'chat.started', 'chat.delta I was go', 'kept aborted', 'chat.error cancelled'])
  assert.deepEqual(gateway.sessions.get('s')?.messages.at(-1), message('assistant', 'I was go'))
})

test('a tool that does not heed the abort is not waited for, and what other tools found is kept', async () => {
  const gateway = new ScriptedGateway(chat, {
    scripts: [[callTool('a', 'quick'), callTool('b', 'deaf'), finish()]],
    tools: { quick: () => 'found', deaf: () => new Promise(() => {}) },
  })
  const running = gateway.call('chat.run', { message: 'Hi', sessionKey: 's' })
  await gateway.until('tool.result quick')
  await gateway.call('chat.abort', { runId: 'run-1' })
  await assert.rejects(running, refused('cancelled'))
  assert.deepEqual(gateway.story.slice(-2), ['kept aborted', 'chat.error cancelled'])
  assert.deepEqual(gateway.sessions.get('s')?.messages.at(-1), message('tool', result('a', 'quick', 'found')))
})

test('a run that passed its deadline has failed, with the deadline\'s words', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[say('slow'), 'hang']] })
  const controller = new AbortController()
  const running = gateway.call('chat.run', { message: 'Hi' }, controller)
  await gateway.until('chat.delta slow')
  controller.abort(new RpcError('timeout', 'It took too long'))
  await assert.rejects(running, refused('timeout', { message: 'It took too long' }))
  assert.deepEqual(gateway.story.slice(-2), ['kept failed', 'chat.error timeout'])
})

test('an abort during the wait for a busy model ends the wait', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const gateway = new ScriptedGateway(chat, { scripts: [[new RpcError('rate_limited', 'Busy', { retryAfterSeconds: 5 })]] })
  const running = gateway.call('chat.run', { message: 'Hi' })
  await gateway.until('chat.started')
  await settled()
  await gateway.call('chat.abort', { runId: 'run-1' })
  await assert.rejects(running, refused('cancelled'))
  assert.equal(gateway.asked.length, 1)
})

test('a run that is over is not aborted, and one that nobody knows is not found', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[say('x'), finish()]] })
  const { runId } = await gateway.call('chat.run', { message: 'Hi' })
  gateway.live.clear()
  assert.deepEqual(await gateway.call('chat.abort', { runId }), { ok: true, aborted: false })
  await assert.rejects(gateway.call('chat.abort', { runId: 'nobody' }), refused('not_found'))
})

test('a started run goes on by itself and can be aborted by its id', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[say('a'), finish()], [say('b'), 'hang']] })
  const first = await gateway.call('chat.start', { message: 'Hi' })
  assert.deepEqual(await gateway.spawned[0], {
    ...first, model: 'isopod/offline', response: 'a', finishReason: 'stop', toolCalls: [], usage: { promptTokens: 1, completionTokens: 1, totalTokens: 2 },
  })
  const second = await gateway.call('chat.start', { message: 'Hi', sessionKey: 'mine' })
  assert.equal(second.sessionKey, 'mine')
  await gateway.until('chat.delta b')
  await gateway.call('chat.abort', { runId: second.runId })
  await assert.rejects(gateway.spawned[1] as Promise<unknown>, refused('cancelled'))
})

test('a started run that can never succeed is refused at once', async () => {
  const gateway = new ScriptedGateway(chat)
  await assert.rejects(gateway.call('chat.start', { message: 'Hi', sessionKey: 'a\nb' }), refused('invalid_request', { param: 'sessionKey' }))
  await assert.rejects(gateway.call('chat.start', { message: 'Hi', agentId: 'nobody' }), refused('not_found', { param: 'agentId' }))
  assert.equal(gateway.spawned.length, 0)
})

test('a run is resumed from its events while they are kept, and from its session afterwards', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[say('Hel'), 'hang'], [say('Hello'), finish()]] })
  const open = await gateway.call('chat.start', { message: 'Hi', sessionKey: 's' })
  await gateway.until('chat.delta Hel')
  assert.deepEqual(await gateway.call('chat.resume', { runId: open.runId, after: 1 }), { ...open, status: 'open', firstSeq: 1, lastSeq: 2, events: true })
  assert.equal(gateway.story.at(-1), 'follow after 1')
  const done = await gateway.call('chat.start', { message: 'Hi', sessionKey: 's' })
  await gateway.spawned[1]
  const usage = { promptTokens: 1, completionTokens: 1, totalTokens: 2 }
  const left = { ...done, status: 'done', response: 'Hello', usage }
  assert.deepEqual(await gateway.call('chat.resume', { runId: done.runId }), { ...left, firstSeq: 1, lastSeq: 3, events: true })
  gateway.live.clear()
  assert.deepEqual(await gateway.call('chat.resume', { runId: done.runId }), { ...left, firstSeq: 0, lastSeq: 0, events: false })
  assert.equal((await gateway.call('chat.resume', { runId: open.runId })).status, 'interrupted')
  await assert.rejects(gateway.call('chat.resume', { runId: 'nobody' }), refused('not_found'))
})

test('a failed run is resumed with the reason, even one whose question was never kept', async () => {
  const gateway = new ScriptedGateway(chat, {
    scripts: [[new RpcError('invalid_request', 'The picture is too large')]],
    trouble: (method, params) => {
      if (method === 'session.begin' && params.sessionKey === 'full') throw new RpcError('unavailable', 'The disk is full')
    },
  })
  const failed = await gateway.call('chat.start', { message: 'Hi', sessionKey: 's' })
  await assert.rejects(gateway.spawned[0] as Promise<unknown>)
  const { status, error } = await gateway.call('chat.resume', { runId: failed.runId })
  assert.deepEqual({ status, error }, { status: 'failed', error: { code: 'invalid_request', message: 'The picture is too large' } })
  const unkept = await gateway.call('chat.start', { message: 'Hi', sessionKey: 'full' })
  await assert.rejects(gateway.spawned[1] as Promise<unknown>, refused('unavailable'))
  assert.deepEqual(gateway.story.slice(-2), ['follow after 0', 'chat.error unavailable'])
  assert.equal((await gateway.call('chat.resume', { runId: unkept.runId })).status, 'failed')
})

test('whichever inner call fails, nothing is told as done that was not kept, and every run ends with one word', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(4), { maxLength: 12 }), fc.option(fc.nat(12)), async (luck, abortAt) => {
    const controller = new AbortController()
    let calls = 0
    const gateway = new ScriptedGateway(chat, {
      scripts: [[say('Look.'), callTool('a', 'clock_now'), callTool('b', 'clock_now'), finish()], [say('Five.'), finish()]],
      tools: { clock_now: () => 5 },
      trouble: () => {
        if (calls === abortAt) controller.abort(new RpcError('cancelled', 'The run was aborted'))
        if (luck[calls++] === 0) throw new RpcError('internal', 'Something broke')
      },
    })
    const outcome = await gateway.call('chat.run', { message: 'Hi', sessionKey: 's' }, controller).then(({ response }) => response, (thrown) => thrown.code)
    const { story } = gateway
    const isDone = story.at(-1) === 'chat.done'
    assert.equal(story.filter((line) => line.startsWith('chat.done') || line.startsWith('chat.error')).length, 1)
    assert.equal(isDone || story.at(-1) === `chat.error ${outcome}`, true, story.join('\n'))
    const told = gateway.events.filter(({ name }) => name !== 'chat.error')
    if (told.length > 0) assert.equal(story[0], 'kept begin')
    if (!isDone) return
    assert.equal(outcome, 'Look.\n\nFive.')
    assert.equal(story.at(-2), 'kept done')
    assert.deepEqual(gateway.sessions.get('s')?.messages.at(-1), message('assistant', 'Five.'))
  }), { numRuns: 200 })
})
