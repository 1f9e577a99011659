import { test } from 'node:test'
import assert from 'node:assert/strict'
import { RpcError, type PromptShaping } from '@isopod/plugin-api'
import chat from '../index.ts'
import { callTool, clientTool, finish, lastParts, message, refused, result, say, settled, ScriptedGateway, think } from './scripted-gateway.ts'

test('a plain run keeps the question before it is heard of and the answer before it is done', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[think('hm'), say('Hel'), say(''), say('lo'), finish('stop', 5)]] })
  const usage = { promptTokens: 5, completionTokens: 5, totalTokens: 10 }
  const answered = await gateway.call('chat.run', { message: 'Hi', sessionKey: 's', channel: 'ws', metadata: { from: 'phone' } })
  assert.deepEqual(answered, {
    runId: 'run-1', sessionKey: 's', model: 'isopod/offline', response: 'Hello', finishReason: 'stop', toolCalls: [], usage,
  })
  assert.deepEqual(gateway.story, ['kept begin', 'chat.started', 'chat.thinking hm', 'chat.delta Hel', 'chat.delta lo', 'kept done', 'chat.done'])
  assert.deepEqual(gateway.events.at(0)?.data, { runId: 'run-1', sessionKey: 's', model: 'isopod/offline' })
  assert.deepEqual(gateway.events.at(-1)?.data, { runId: 'run-1', sessionKey: 's', finishReason: 'stop', usage })
  assert.deepEqual(gateway.sessions.get('s')?.messages, [message('user', 'Hi'), message('assistant', 'Hello')])
})

test('in a session made for the run, the model is asked while the question is being kept, and its answer waits', async () => {
  const asked = Promise.withResolvers<void>()
  const gateway = new ScriptedGateway(chat, {
    scripts: [[say('Hello'), finish('stop', 5)]],
    trouble: (method) => {
      if (method === 'session.begin') return asked.promise
      if (method === 'model.stream') asked.resolve()
    },
  })
  await gateway.call('chat.run', { message: 'Hi' })
  assert.deepEqual(gateway.story, ['kept begin', 'chat.started', 'chat.delta Hello', 'kept done', 'chat.done'])
})

test('in a session that was named, the model is asked when what it has is known', async () => {
  const order: string[] = []
  const gateway = new ScriptedGateway(chat, { scripts: [[say('Hello'), finish('stop', 5)]], trouble: (method) => void order.push(method, ...gateway.story) })
  await gateway.call('chat.run', { message: 'Hi', sessionKey: 's' })
  assert.ok(order.indexOf('kept begin') < order.indexOf('model.stream'), order.join())
})

test('a question that cannot be kept is refused at once, and nothing of its answer told, whatever the model does', async () => {
  for (const script of [['hang'], [say('Hello'), finish('stop', 5)], [new RpcError('unavailable', 'No model', { retryAfterSeconds: 0 })]] as const) {
    const asked = Promise.withResolvers<void>()
    const gateway = new ScriptedGateway(chat, {
      scripts: [script],
      trouble: async (method) => {
        if (method === 'model.stream') asked.resolve()
        if (method !== 'session.begin') return
        await asked.promise
        throw new RpcError('unavailable', 'The disk is full')
      },
    })
    await assert.rejects(gateway.call('chat.run', { message: 'Hi' }), refused('unavailable', { message: 'The disk is full' }))
    for (let turn = 0; turn < 20; turn += 1) await new Promise((turned) => setTimeout(turned))
    assert.deepEqual([gateway.story, gateway.asked.length], [['chat.error unavailable'], 1])
  }
})

test('a tool round tells the call and its result, and the model what came of it', async () => {
  const gateway = new ScriptedGateway(chat, {
    scripts: [[say('Let me look.'), callTool('c1', 'clock_now', { zone: 'UTC' }), finish('tool_calls', 3)], [say('It is '), say('five.'), finish('stop', 4)]],
    tools: { clock_now: ({ zone }) => ({ hour: 5, zone }) },
  })
  const { response, usage, toolCalls, finishReason } = await gateway.call('chat.run', { message: 'What time is it?', sessionKey: 's' })
  assert.deepEqual(gateway.story, [
    'kept begin', 'chat.started', 'chat.delta Let me look.', 'tool.call clock_now', 'tool.result clock_now',
    'chat.delta \n\nIt is ', 'chat.delta five.', 'kept done', 'chat.done',
  ])
  assert.deepEqual({ response, toolCalls, finishReason }, { response: 'Let me look.\n\nIt is five.', toolCalls: [], finishReason: 'stop' })
  assert.equal(usage.totalTokens, 14)
  const [call, told] = gateway.events.filter(({ name }) => name.startsWith('tool.'))
  assert.deepEqual(call?.data, { runId: 'run-1', callId: 'c1', tool: 'clock_now', params: { zone: 'UTC' } })
  assert.deepEqual(told?.data, { runId: 'run-1', callId: 'c1', tool: 'clock_now', result: { hour: 5, zone: 'UTC' } })
  const kept = [
    message('user', 'What time is it?'),
    message('assistant', 'Let me look.', callTool('c1', 'clock_now', { zone: 'UTC' })),
    message('tool', result('c1', 'clock_now', { hour: 5, zone: 'UTC' })),
  ]
  assert.deepEqual(gateway.asked[1]?.request.messages, kept)
  assert.deepEqual(gateway.sessions.get('s')?.messages, [...kept, message('assistant', 'It is five.')])
  assert.deepEqual(gateway.invoked[0]?.params, { tool: 'clock_now', params: { zone: 'UTC' }, agentId: 'default' })
  assert.equal(gateway.invoked[0]?.options.origin, 'agent')
})

test('a failure keeps what was said, tells it, and refuses the call with the same words', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[say('I was '), say('go'), new RpcError('unavailable', 'The connection broke', { retryable: true })]] })
  await assert.rejects(gateway.call('chat.run', { message: 'Hi', sessionKey: 's' }), refused('unavailable', { message: 'The connection broke', retryable: true }))
  assert.deepEqual(gateway.story, ['kept begin', 'chat.started', 'chat.delta I was ', 'chat.delta go', 'kept failed', 'chat.error unavailable'])
  assert.deepEqual(gateway.events.at(-1)?.data, { runId: 'run-1', sessionKey: 's', error: { code: 'unavailable', message: 'The connection broke' } })
  assert.deepEqual(gateway.sessions.get('s')?.messages, [message('user', 'Hi'), message('assistant', 'I was go')])
})

test('an answer that breaks off without an end is a failure', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[say('half an')]] })
  await assert.rejects(gateway.call('chat.run', { message: 'Hi' }), refused('unavailable', { retryable: true }))
  assert.deepEqual(gateway.story.slice(-2), ['kept failed', 'chat.error unavailable'])
})

test('a mistake of the gateway is told as internal, without its words', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[say('x'), new TypeError('secret path')]] })
  await assert.rejects(gateway.call('chat.run', { message: 'Hi' }), { name: 'TypeError' })
  assert.deepEqual(gateway.events.at(-1)?.data.error, { code: 'internal', message: 'Internal error' })
  assert.deepEqual(gateway.story.at(-2), 'kept failed')
})

test('without streaming only the texts are left out of the events', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[think('hm'), say('Hello'), finish()]] })
  assert.equal((await gateway.call('chat.run', { message: 'Hi', stream: false })).response, 'Hello')
  assert.deepEqual(gateway.story, ['kept begin', 'chat.started', 'kept done', 'chat.done'])
})

test('a refused tool, an unknown one and nonsense for arguments are results that the model is told', async () => {
  const calls = [callTool('a', 'fails'), callTool('b', 'nobody'), callTool('c', 'fails', 'not an object'), callTool('d', 'fails', [1])]
  const gateway = new ScriptedGateway(chat, {
    scripts: [[...calls, finish('tool_calls')], [say('Sorry.'), finish()]],
    tools: { fails: () => { throw new RpcError('forbidden', 'The owner said no') } },
  })
  assert.equal((await gateway.call('chat.run', { message: 'Hi' })).response, 'Sorry.')
  const wrong = { isError: true }
  assert.deepEqual(lastParts(gateway, 1), [
    result('a', 'fails', 'The owner said no', wrong),
    result('b', 'nobody', 'There is no tool nobody here', wrong),
    result('c', 'fails', 'The arguments of fails must be a JSON object', wrong),
    result('d', 'fails', 'The arguments of fails must be a JSON object', wrong),
  ])
  assert.equal(gateway.invoked.length, 1)
})

test('the tools of a round run at the same time, four at most, and are told in the order of the calls', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  const doors = new Map<unknown, () => void>()
  const gateway = new ScriptedGateway(chat, {
    scripts: [[...ids.map((id) => callTool(id, 'wait', { id })), finish('tool_calls')], [say('done'), finish()]],
    tools: { wait: ({ id }) => new Promise<void>((open) => doors.set(id, open)) },
  })
  const running = gateway.call('chat.run', { message: 'Hi' })
  const opened: unknown[] = []
  for (const open of ['d', 'c', 'a', 'f', 'e', 'b']) {
    await settled()
    opened.push([...doors.keys()].join(''))
    doors.get(open)?.()
    doors.delete(open)
  }
  await running
  assert.deepEqual(opened, ['abcd', 'abce', 'abef', 'bef', 'be', 'b'])
  assert.deepEqual(lastParts(gateway, 1).map((part) => ('id' in part ? part.id : '')), ids)
})

test('calls without an id, or with one that was used before, get their own', async () => {
  const gateway = new ScriptedGateway(chat, {
    scripts: [[callTool('0', 'echo', { n: 1 }), callTool('0', 'echo', { n: 2 }), callTool('', 'echo', { n: 3 }), finish()], [callTool('0', 'echo', { n: 4 }), finish()], [say('x'), finish()]],
    tools: { echo: ({ n }) => n },
  })
  await gateway.call('chat.run', { message: 'Hi', sessionKey: 's' })
  const parts = gateway.sessions.get('s')?.messages.flatMap((one) => one.parts) ?? []
  const ids = parts.flatMap((part) => (part.type === 'toolCall' ? [part.id] : []))
  assert.equal(new Set(ids).size, 4)
  assert.deepEqual(parts.flatMap((part) => (part.type === 'toolResult' ? [part.result] : [])), [1, 2, 3, 4])
})

test('a result that is longer than a model can use is cut and says so', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[callTool('a', 'read'), finish()], [finish()]], tools: { read: () => 'x'.repeat(300_000) } })
  await gateway.call('chat.run', { message: 'Hi' })
  const [part] = lastParts(gateway, 1)
  const told = part?.type === 'toolResult' && typeof part.result === 'string' ? part.result : ''
  assert.equal(told.length < 263_000, true)
  assert.match(told, /\[cut: the result has 300000 characters\]$/)
})

test('a call of the client\'s own tool ends the run, after the gateway\'s own tools have run', async () => {
  const gateway = new ScriptedGateway(chat, {
    scripts: [[say('One moment.'), callTool('a', 'mine'), callTool('b', 'clock_now'), finish('tool_calls')]],
    tools: { clock_now: () => 5, mine: () => 'never' },
  })
  const answered = await gateway.call('chat.run', { message: 'Hi', sessionKey: 's', clientTools: [clientTool('mine')] })
  assert.deepEqual([answered.finishReason, answered.toolCalls, answered.response], ['tool_calls', [{ id: 'a', name: 'mine', args: {} }], 'One moment.'])
  assert.deepEqual(gateway.story, [
    'kept begin', 'chat.started', 'chat.delta One moment.', 'tool.call clock_now', 'tool.result clock_now', 'tool.call mine', 'kept done', 'chat.done',
  ])
  assert.equal(gateway.events.find(({ data }) => data.tool === 'mine')?.data.client, true)
  assert.deepEqual(gateway.asked[0]?.request.tools?.map(({ name }) => name), ['clock_now', 'mine'])
})

test('the client comes back with its result, and both results stand behind the call', async () => {
  const gateway = new ScriptedGateway(chat, {
    scripts: [[callTool('a', 'mine'), callTool('b', 'clock_now'), finish('tool_calls')], [say('ok'), finish()]],
    tools: { clock_now: () => 5 },
  })
  await gateway.call('chat.run', { message: 'Hi', sessionKey: 's', clientTools: [clientTool('mine')] })
  await gateway.call('chat.run', { sessionKey: 's', messages: [message('tool', result('a', 'mine', 'yes'))] })
  assert.deepEqual(gateway.asked[1]?.request.messages, [
    message('user', 'Hi'),
    message('assistant', callTool('a', 'mine'), callTool('b', 'clock_now')),
    message('tool', result('a', 'mine', 'yes'), result('b', 'clock_now', 5)),
  ])
})

test('a model that never stops calling tools is stopped after its rounds, and told why', async () => {
  const gateway = new ScriptedGateway(chat, {
    config: { default: { maxRounds: 3 } },
    scripts: Array.from({ length: 9 }, (_, index) => [callTool(`c${index}`, 'again'), finish('tool_calls')]),
    tools: { again: () => 'again' },
  })
  await assert.rejects(gateway.call('chat.run', { message: 'Hi' }), refused('budget_exceeded', { retryable: false, message: /agents\.default\.maxRounds/ }))
  assert.equal(gateway.asked.length, 3)
  assert.equal(gateway.invoked.length, 2)
  assert.deepEqual(gateway.story.slice(-2), ['kept failed', 'chat.error budget_exceeded'])
})

test('an answer without end is cut off before it fills the memory', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [Array.from({ length: 20 }, () => say('x'.repeat(1024 * 1024)))] })
  await assert.rejects(gateway.call('chat.run', { message: 'Hi' }), refused('payload_too_large'))
})

test('a tool that must be used must be used once', async () => {
  const gateway = new ScriptedGateway(chat, { scripts: [[callTool('a', 'clock_now'), finish()], [say('ok'), finish()]], tools: { clock_now: () => 5 } })
  await gateway.call('chat.run', { message: 'Hi', toolChoice: { name: 'clock_now' } })
  assert.deepEqual(gateway.asked.map(({ request }) => request.toolChoice), [{ name: 'clock_now' }, 'auto'])
  await assert.rejects(gateway.call('chat.run', { message: 'Hi', toolChoice: { name: 'nobody' } }), refused('invalid_request', { param: 'toolChoice' }))
})

test('whoever shapes the prompt has the last word on messages and tools, and may refuse', async () => {
  const shape = (subject: PromptShaping) => ({ subject: { ...subject, messages: [...subject.messages, message('system', 'Be brief.')], tools: [] } })
  const gateway = new ScriptedGateway(chat, { shape, scripts: [[callTool('a', 'clock_now'), finish()], [say('ok'), finish()]], tools: { clock_now: () => 5 } })
  await gateway.call('chat.run', { message: 'Hi' })
  assert.equal(gateway.asked[0]?.request.messages.at(-1)?.role, 'system')
  assert.equal(gateway.asked[0]?.request.tools, undefined)
  assert.equal(gateway.invoked.length, 0)
  const strict = new ScriptedGateway(chat, { shape: () => ({ refused: 'Not today', by: 'guard/prompt' }) })
  await assert.rejects(strict.call('chat.run', { message: 'Hi' }), refused('forbidden', { message: 'Not today' }))
  assert.deepEqual(strict.story, ['kept begin', 'chat.started', 'kept failed', 'chat.error forbidden'])
})
