import { test } from 'node:test'
import assert from 'node:assert/strict'
import { RpcError, type JsonObject } from '@isopod/plugin-api'
import chat from '../index.ts'
import { callTool, clientTool, finish, message, refused, result, say, settled, ScriptedGateway } from './scripted-gateway.ts'

const busy = () => new RpcError('rate_limited', 'Busy', { retryable: true, retryAfterSeconds: 60 })

test('what is wrong with a conversation is named, and leaves no trace', async () => {
  const cases: [object, string][] = [
    [{}, 'message'],
    [{ message: 'a', messages: [message('user', 'b')] }, 'message'],
    [{ messages: [message('user', 'a'), message('user')] }, 'messages[1].parts'],
    [{ messages: [message('user', callTool('a', 'x'))] }, 'messages[0].parts[0].type'],
    [{ messages: [message('tool', 'text')] }, 'messages[0].parts[0].type'],
    [{ messages: [message('user', { type: 'text' })] }, 'messages[0].parts[0].text'],
    [{ messages: [message('user', { type: 'image' })] }, 'messages[0].parts[0]'],
    [{ messages: [message('user', { type: 'file', url: 'https://a.example/b', data: 'AA==' })] }, 'messages[0].parts[0]'],
    [{ messages: [message('assistant', { type: 'toolCall', id: 'a', name: 'x' })] }, 'messages[0].parts[0].args'],
    [{ messages: [message('tool', result('nobody', 'x', 1))] }, 'messages'],
    [{ history: 'given', messages: [message('tool', result('a', 'x', 1)), message('assistant', callTool('a', 'x'))] }, 'messages'],
    [{ message: 'a', sessionKey: '' }, 'sessionKey'],
    [{ message: 'a', sessionKey: 'x'.repeat(257) }, 'sessionKey'],
    [{ message: 'a', agentId: '__proto__' }, 'agentId'],
    [{ message: 'a', agentId: 'work', model: 'openclaw/home' }, 'model'],
    [{ message: 'a', clientTools: [clientTool('x'), clientTool('x')] }, 'clientTools'],
  ]
  for (const [params, param] of cases) {
    const gateway = new ScriptedGateway(chat, { config: { work: {}, home: {} } })
    await assert.rejects(gateway.call('chat.run', params), { name: 'RpcError', param }, JSON.stringify(params))
    assert.deepEqual([gateway.story, gateway.live.size], [[], 0])
  }
})

test('a session\'s messages come before the new ones, instructions first of all', async () => {
  const gateway = new ScriptedGateway(chat, { config: { default: { system: 'You are kind.' } } })
  gateway.sessions.set('s', { agentId: 'default', messages: [message('user', 'one'), message('assistant', 'two')] as never })
  await gateway.call('chat.run', { sessionKey: 's', messages: [message('system', 'Be brief.'), message('user', 'three')] })
  assert.deepEqual(gateway.asked[0]?.request.messages, [
    message('system', 'You are kind.'), message('system', 'Be brief.'), message('user', 'one'), message('assistant', 'two'), message('user', 'three'),
  ])
  assert.deepEqual(gateway.sessions.get('s')?.messages.at(-1), message('user', 'three'))
})

test('a client that sends the whole conversation is shown no other, and only its new turn is kept', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[say('four'), finish()]] })
  gateway.sessions.set('s', { agentId: 'default', messages: [message('user', 'secret')] as never })
  const messages = [message('system', 'Be brief.'), message('user', 'one'), message('assistant', 'two'), message('user', 'three')]
  await gateway.call('chat.run', { sessionKey: 's', history: 'given', messages })
  assert.deepEqual(gateway.asked[0]?.request.messages, messages)
  assert.deepEqual(gateway.sessions.get('s')?.messages.slice(1), [message('user', 'three'), message('assistant', 'four')])
})

test('a model is shown tool calls and results in pairs, whatever the session has', async () => {
  const gateway = new ScriptedGateway(chat)
  gateway.sessions.set('s', {
    agentId: 'default',
    messages: [
      message('tool', result('cut-off', 'x', 1)),
      message('assistant', 'Wait', callTool('late', 'x'), callTool('never', 'x')),
      message('user', 'still there?'),
      message('assistant', callTool('never-either', 'x')),
      message('tool', result('late', 'x', 2)),
    ] as never,
  })
  await gateway.call('chat.run', { sessionKey: 's', message: 'Hi' })
  assert.deepEqual(gateway.asked[0]?.request.messages, [
    message('assistant', 'Wait', callTool('late', 'x')), message('tool', result('late', 'x', 2)), message('user', 'still there?'), message('user', 'Hi'),
  ])
})

test('a model\'s name may name an agent, and isopod/offline never does', async () => {
  const config = { default: { model: 'a/default' }, work: { model: 'a/work', system: 'Work.' }, offline: { model: 'a/work' } }
  const models = ['a/first', 'a/default', 'a/work', 'isopod/offline']
  const cases: [object, string, string][] = [
    [{}, 'a/default', 'default'],
    [{ model: 'openclaw' }, 'a/default', 'default'],
    [{ model: 'isopod/default' }, 'a/default', 'default'],
    [{ model: 'openclaw/work' }, 'a/work', 'work'],
    [{ model: 'isopod/work' }, 'a/work', 'work'],
    [{ model: 'agent:work' }, 'a/work', 'work'],
    [{ model: 'isopod/offline' }, 'isopod/offline', 'default'],
    [{ model: 'a/work' }, 'a/work', 'default'],
    [{ model: 'openclaw/nobody' }, 'a/first', 'default'],
    [{ model: 'gpt-4' }, 'a/first', 'default'],
    [{ agentId: 'work' }, 'a/work', 'work'],
    [{ agentId: 'work', model: 'isopod' }, 'a/work', 'work'],
    [{ agentId: 'work', model: 'a/default' }, 'a/default', 'work'],
  ]
  for (const [params, model, agentId] of cases) {
    const gateway = new ScriptedGateway(chat, { config, models })
    const answered = await gateway.call('chat.run', { message: 'Hi', sessionKey: 's', ...params })
    assert.deepEqual([gateway.asked[0]?.id, gateway.sessions.get('s')?.agentId], [model, agentId], JSON.stringify(params))
    assert.equal(answered.model, (params as { model?: string }).model ?? model)
  }
})

test('a session keeps its agent, and one that left the config is replaced by the default, and said', async () => {
  const gateway = new ScriptedGateway(chat, { config: { work: { system: 'Work.' } } })
  await gateway.call('chat.run', { message: 'Hi', sessionKey: 's', agentId: 'work' })
  await gateway.call('chat.run', { message: 'Hi', sessionKey: 's' })
  assert.deepEqual(gateway.asked[1]?.request.messages[0], message('system', 'Work.'))
  gateway.sessions.set('old', { agentId: 'gone', messages: [] })
  await gateway.call('chat.run', { message: 'Hi', sessionKey: 'old' })
  assert.equal(gateway.story.some((line) => line.startsWith('warn The config has no agent gone')), true)
})

test('tools that the agent is denied are not offered', async () => {
  const tools = { clock_now: () => 5, browser_open: () => 1, browser_act: () => 1, net_fetch_raw: () => 1 }
  const gateway = new ScriptedGateway(chat, { tools, config: { default: { tools: { deny: ['browser_*', 'n*_f*_raw', 'clock', '*x*'] } } } })
  await gateway.call('chat.run', { message: 'Hi' })
  assert.deepEqual(gateway.asked[0]?.request.tools?.map(({ name }) => name), ['clock_now'])
})

test('a profile offers tools by what they may do, and allow adds to it by name', async () => {
  const tools = { clock_now: () => 5, shell_run: () => 1, shell_look: () => 1 }
  const effects = { shell_run: ['exec'], shell_look: ['exec'] }
  const offeredTo = async (rules: JsonObject) => {
    const gateway = new ScriptedGateway(chat, { tools, effects, config: { default: { tools: rules } } })
    await gateway.call('chat.run', { message: 'Hi' })
    return gateway.asked[0]?.request.tools?.map(({ name }) => name) ?? []
  }
  assert.deepEqual(await offeredTo({ profile: 'full' }), ['clock_now', 'shell_run', 'shell_look'])
  assert.deepEqual(await offeredTo({ profile: 'messaging' }), ['clock_now'])
  assert.deepEqual(await offeredTo({ profile: 'messaging', allow: ['shell_*'], deny: ['shell_run'] }), ['clock_now', 'shell_look'])
  assert.deepEqual(await offeredTo({ profile: 'none' }), [])
})

test('a model that will not answer at all is left for the next one at once', async () => {
  const refusal = new RpcError('unavailable', 'The key is wrong', { retryable: false })
  const gateway = new ScriptedGateway(chat, { models: ['a/b', 'c/d'], scripts: [[refusal], [say('Hello'), finish()]], config: { default: { model: 'a/b', fallbacks: ['c/d'] } } })
  const { response } = await gateway.call('chat.run', { message: 'Hi' })
  assert.equal(response, 'Hello')
  assert.deepEqual(gateway.asked.map(({ id }) => id), ['a/b', 'c/d'])
})

test('a busy model is asked once more after the time it asked for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const gateway = new ScriptedGateway(chat, { scripts: [[new RpcError('rate_limited', 'Busy', { retryAfterSeconds: 2 })], [say('Hello'), finish()]] })
  const running = gateway.call('chat.run', { message: 'Hi' })
  await gateway.until('chat.started')
  await settled()
  t.mock.timers.tick(1_999)
  await settled()
  assert.equal(gateway.asked.length, 1)
  t.mock.timers.tick(1)
  assert.equal((await running).response, 'Hello')
})

test('a model that asks for too much time is left for the next, which then stays', async () => {
  const gateway = new ScriptedGateway(chat, {
    config: { default: { model: 'a/one', fallbacks: ['a/one', 'nobody/knows', 'b/two'] } },
    models: ['a/one', 'b/two'],
    scripts: [[busy()], [callTool('a', 'clock_now'), finish()], [say('Hello'), finish()]],
    tools: { clock_now: () => 5 },
  })
  const { response, model } = await gateway.call('chat.run', { message: 'Hi' })
  assert.deepEqual([response, model, gateway.asked.map(({ id }) => id)], ['Hello', 'b/two', ['a/one', 'b/two', 'b/two']])
})

test('no other model is asked after the first word, or where no model could do better', async () => {
  const config = { default: { model: 'a/one', fallbacks: ['b/two'] } }
  const models = ['a/one', 'b/two']
  const late = new ScriptedGateway(chat, { config, models, scripts: [[say('Hel'), busy()]] })
  await assert.rejects(late.call('chat.run', { message: 'Hi' }), refused('rate_limited'))
  const hopeless = new ScriptedGateway(chat, { config, models, scripts: [[new RpcError('invalid_request', 'No such thing')]] })
  await assert.rejects(hopeless.call('chat.run', { message: 'Hi' }), refused('invalid_request'))
  const all = new ScriptedGateway(chat, { config, models, scripts: [[busy()], [busy()]] })
  await assert.rejects(all.call('chat.run', { message: 'Hi' }), refused('rate_limited', { retryAfterSeconds: 60 }))
  assert.deepEqual([late.asked.length, hopeless.asked.length, all.asked.length], [1, 1, 2])
})

test('where every model fails, the caller is told of each, and the log of each that was left', async () => {
  const gateway = new ScriptedGateway(chat, {
    config: { default: { model: 'a/one', fallbacks: ['b/two'] } },
    models: ['a/one', 'b/two'],
    scripts: [[new RpcError('unavailable', 'a has no key', { retryable: false })], [busy()]],
  })
  const message = 'a/one: a has no key; b/two: Busy'
  await assert.rejects(gateway.call('chat.run', { message: 'Hi' }), { code: 'rate_limited', retryable: true, retryAfterSeconds: 60, message })
  assert.ok(gateway.story.includes('warn a/one cannot answer (unavailable: a has no key); b/two is asked instead'), gateway.story.join('\n'))
})

test('where there is one model, its refusal is told as it is', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[busy()]] })
  await assert.rejects(gateway.call('chat.run', { message: 'Hi' }), { code: 'rate_limited', message: 'Busy' })
})

test('the history of a session is told by its name', async () => {
  const gateway = new ScriptedGateway(chat)
  await gateway.call('chat.run', { message: 'Hi', sessionKey: 's' })
  assert.equal((await gateway.call('chat.history', { sessionKey: 's', limit: 10 })).messages[0]?.content, 'Hi')
})
