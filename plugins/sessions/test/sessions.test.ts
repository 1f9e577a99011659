import { test } from 'node:test'
import assert from 'node:assert/strict'
import sessions from '../index.ts'
import { assistant, OWNER, refused, scriptedGateway, user, type ScriptedGateway } from './scripted-gateway.ts'

async function turn(gateway: ScriptedGateway, sessionKey: string, runId: string, answer: string) {
  await gateway.call('session.begin', { sessionKey, runId, messages: [user(`ask ${runId}`)], history: 0 })
  await gateway.call('session.commit', { sessionKey, runId, messages: [assistant(answer)], status: 'done' })
}

test('a turn is told back with its row, its messages and their times', async () => {
  const gateway = scriptedGateway(sessions)
  await gateway.call('session.begin', {
    sessionKey: 'session-123', agentId: 'work', channel: 'ws', runId: 'r1', messages: [user('hello')], metadata: { from: 'phone' }, history: 10,
  })
  gateway.pass(1_500)
  await gateway.call('session.commit', { sessionKey: 'session-123', runId: 'r1', messages: [assistant('hi')], status: 'done' })
  assert.deepEqual(await gateway.call('session.get', { sessionKey: 'session-123' }), {
    sessionKey: 'session-123',
    agentId: 'work',
    channel: 'ws',
    createdAt: '2024-02-14T00:00:00.000Z',
    updatedAt: '2024-02-14T00:00:01.500Z',
    messageCount: 2,
    messages: [
      { id: '1', role: 'user', content: 'hello', createdAt: '2024-02-14T00:00:00.000Z', runId: 'r1', metadata: { from: 'phone' } },
      { id: '2', role: 'assistant', content: 'hi', createdAt: '2024-02-14T00:00:01.500Z', runId: 'r1' },
    ],
  })
})

test('a turn is begun with the messages that came before it, and not with itself', async () => {
  const gateway = scriptedGateway(sessions)
  await turn(gateway, 's', 'r1', 'one')
  await turn(gateway, 's', 'r2', 'two')
  const begun = await gateway.call('session.begin', { sessionKey: 's', runId: 'r3', messages: [user('new')], history: 3 })
  assert.deepEqual(begun, { history: [assistant('one'), user('ask r2'), assistant('two')], agentId: 'default' })
})

test('a session keeps its agent and its channel until another agent is named', async () => {
  const gateway = scriptedGateway(sessions)
  const begin = (runId: string, more: object) => gateway.call('session.begin', { sessionKey: 's', runId, messages: [user('x')], history: 0, ...more })
  assert.equal((await begin('r1', { agentId: 'work', channel: 'telegram' })).agentId, 'work')
  assert.equal((await begin('r2', { channel: 'ws' })).agentId, 'work')
  assert.equal((await begin('r3', { agentId: 'home' })).agentId, 'home')
  const { agentId, channel } = await gateway.call('session.get', { sessionKey: 's' })
  assert.deepEqual({ agentId, channel }, { agentId: 'home', channel: 'telegram' })
})

test('messages are read back in pages, the newest first, each page oldest first', async () => {
  const gateway = scriptedGateway(sessions)
  for (let index = 0; index < 70; index += 1) await turn(gateway, 's', `r${index}`, `answer ${index}`)
  const ids = async (params: object) => (await gateway.call('session.get', { sessionKey: 's', ...params })).messages.map(({ id }) => Number(id))
  const all = Array.from({ length: 140 }, (_, index) => index + 1)
  assert.deepEqual(await ids({}), all)
  assert.deepEqual(await ids({ limit: 3 }), [138, 139, 140])
  assert.deepEqual(await ids({ limit: 100, before: '121' }), all.slice(20, 120))
  assert.deepEqual(await ids({ before: '1' }), [])
})

test('very large messages are told in smaller pages, and one is always told', async () => {
  const gateway = scriptedGateway(sessions)
  const picture = (megabytes: number) => ({ role: 'user', parts: [{ type: 'image', data: 'A'.repeat(megabytes * 1024 * 1024) }] })
  for (const [index, megabytes] of [17, 9, 9, 9, 9, 9, 9, 5, 5].entries()) {
    await gateway.call('session.begin', { sessionKey: 's', runId: `r${index}`, messages: [picture(megabytes)], history: 0 })
  }
  const ids = async (params: object) => (await gateway.call('session.get', { sessionKey: 's', ...params })).messages.map(({ id }) => id)
  assert.deepEqual(await ids({}), ['8', '9'])
  assert.deepEqual(await ids({ before: '8' }), ['7'])
  assert.deepEqual(await ids({ before: '2' }), ['1'])
})

test('sessions are listed newest first, in pages, by agent and by channel', async () => {
  const gateway = scriptedGateway(sessions)
  for (const key of ['a', 'b', 'c', 'd']) {
    gateway.pass(10)
    await gateway.call('session.begin', {
      sessionKey: key, agentId: key < 'c' ? 'work' : 'home', channel: key === 'a' ? 'cron' : 'ws', runId: key, messages: [user('x')], history: 0,
    })
  }
  gateway.pass(10)
  await gateway.call('session.commit', { sessionKey: 'b', runId: 'b', messages: [], status: 'done' })
  const keys = async (params: object) => (await gateway.call('session.list', params)).sessions.map(({ sessionKey }) => sessionKey)
  assert.deepEqual(await keys({}), ['b', 'd', 'c', 'a'])
  assert.deepEqual(await keys({ agentId: 'work' }), ['b', 'a'])
  assert.deepEqual(await keys({ channel: 'cron' }), ['a'])
  assert.deepEqual(await keys({ channel: 'ws', agentId: 'work' }), ['b'])
  const first = await gateway.call('session.list', { limit: 3 })
  assert.equal(first.sessions.length, 3)
  assert.deepEqual(await keys({ limit: 3, after: first.next }), ['a'])
  assert.equal((await gateway.call('session.list', { limit: 3, after: first.next })).next, undefined)
  await assert.rejects(gateway.call('session.list', { after: 'b' }), refused('invalid_request', { param: 'after' }))
})

test('sessions that change in the same millisecond, or under a clock that goes back, are each listed once', async () => {
  const gateway = scriptedGateway(sessions)
  await turn(gateway, 'a', 'r1', 'x')
  await turn(gateway, 'b', 'r2', 'x')
  gateway.pass(-3_600_000)
  await turn(gateway, 'a', 'r3', 'x')
  const { sessions: rows } = await gateway.call('session.list', {})
  assert.deepEqual(rows.map(({ sessionKey, messageCount }) => [sessionKey, messageCount]), [['b', 2], ['a', 4]])
})

test('what is no session key is refused by name, whichever method is asked', async () => {
  const gateway = scriptedGateway(sessions)
  const bad = ['', 'a\nb', 'a\u0000', '\u202Egnp', 'a\uD800', 'x'.repeat(257)]
  for (const sessionKey of bad) {
    for (const method of ['session.get', 'session.delete', 'session.reset', 'session.patch', 'session.begin', 'session.commit']) {
      const params = { sessionKey, title: 't', runId: 'r', messages: [], history: 0, status: 'done' }
      await assert.rejects(gateway.call(method, params), refused('invalid_request', { message: 'Invalid session key', param: 'sessionKey' }), `${method} ${JSON.stringify(sessionKey)}`)
    }
  }
})

test('keys of any printable characters name different sessions', async () => {
  const gateway = scriptedGateway(sessions)
  const keys = ['a', 'a/b', 'a:b', '=a', '#a', 'hook:session-123', '__proto__', ' ', 'ä', '会'.repeat(256), '😀'.repeat(256), `${'😀'.repeat(255)}x`]
  for (const [index, key] of keys.entries()) await turn(gateway, key, `r${index}`, key)
  for (const key of keys) assert.equal((await gateway.call('session.get', { sessionKey: key })).messages.at(-1)?.content, key)
  assert.equal((await gateway.call('session.list', {})).sessions.length, keys.length)
})

test('a session that does not exist is not found', async () => {
  const gateway = scriptedGateway(sessions)
  for (const method of ['session.get', 'session.delete', 'session.reset', 'session.patch']) {
    await assert.rejects(gateway.call(method, { sessionKey: 'nobody', title: 'x' }), refused('not_found', { param: 'sessionKey' }), method)
  }
})

test('a title and an agent can be given, and the title taken away again', async () => {
  const gateway = scriptedGateway(sessions)
  await turn(gateway, 's', 'r1', 'x')
  assert.equal((await gateway.call('session.patch', { sessionKey: 's', title: 'Taxes' })).title, 'Taxes')
  const row = await gateway.call('session.patch', { sessionKey: 's', agentId: 'work' })
  assert.deepEqual([row.title, row.agentId], ['Taxes', 'work'])
  assert.equal('title' in (await gateway.call('session.patch', { sessionKey: 's', title: '' })), false)
  assert.equal((await gateway.call('session.list', {})).sessions[0]?.agentId, 'work')
  await assert.rejects(gateway.call('session.patch', { sessionKey: 's' }), refused('invalid_request'))
})

test('a reset session keeps its row and loses its messages and runs', async () => {
  const gateway = scriptedGateway(sessions)
  await turn(gateway, 's', 'r1', 'secret')
  await gateway.call('session.patch', { sessionKey: 's', title: 'Kept' })
  await gateway.call('session.reset', { sessionKey: 's' })
  const { title, messageCount, messages } = await gateway.call('session.get', { sessionKey: 's' })
  assert.deepEqual({ title, messageCount, messages }, { title: 'Kept', messageCount: 0, messages: [] })
  await assert.rejects(gateway.call('session.run', { runId: 'r1' }), refused('not_found'))
  await turn(gateway, 's', 'r2', 'again')
  assert.deepEqual((await gateway.call('session.get', { sessionKey: 's' })).messages.map(({ id }) => id), ['1', '2'])
})

test('a deleted session leaves nothing in the store', async () => {
  const gateway = scriptedGateway(sessions)
  for (let index = 0; index < 60; index += 1) await turn(gateway, 's', `r${index}`, 'secret')
  assert.deepEqual(await gateway.call('session.delete', { sessionKey: 's' }), { ok: true })
  assert.equal([...gateway.store.documents.values()].reduce((sum, { size }) => sum + size, 0), 0)
  assert.equal(gateway.store.streams.size, 0)
})

test('an answer to a conversation that was emptied or deleted meanwhile is kept nowhere', async () => {
  const gateway = scriptedGateway(sessions)
  for (const method of ['session.reset', 'session.delete']) {
    await gateway.call('session.begin', { sessionKey: 's', runId: method, messages: [user('x')], history: 0 })
    await gateway.call(method, { sessionKey: 's' })
    await gateway.call('session.commit', { sessionKey: 's', runId: method, messages: [assistant('late')], status: 'done' })
    await assert.rejects(gateway.call('session.run', { runId: method }), refused('not_found'))
  }
  assert.equal((await gateway.call('session.list', {})).sessions.length, 0)
  assert.equal(gateway.store.streams.size, 0)
  assert.equal(gateway.store.documents.get('open')?.size, 0)
})

test('every change of a session is told as an event', async () => {
  const gateway = scriptedGateway(sessions)
  await turn(gateway, 's', 'r1', 'x')
  await gateway.call('session.patch', { sessionKey: 's', title: 't' })
  await gateway.call('session.reset', { sessionKey: 's' })
  await gateway.call('session.delete', { sessionKey: 's' })
  const told = ['created', 'messages', 'patched', 'reset', 'deleted'].map((change) => ({ name: 'session.changed', sessionKey: 's', change }))
  assert.deepEqual(gateway.events, told)
})

test('a run is told with its response while its session remembers it, to its own caller and to an administrator', async () => {
  const gateway = scriptedGateway(sessions)
  const usage = { promptTokens: 1, completionTokens: 2, totalTokens: 3 }
  const call = { type: 'toolCall', id: 'c', name: 'clock_now', args: {} }
  await gateway.call('session.begin', { sessionKey: 's', runId: 'r1', messages: [user('x')], history: 0 })
  assert.deepEqual(await gateway.call('session.run', { runId: 'r1' }), { runId: 'r1', sessionKey: 's', status: 'open', response: '' })
  const messages = [
    { role: 'assistant', parts: [{ type: 'text', text: 'Let me look.' }, call] },
    { role: 'tool', parts: [{ type: 'toolResult', id: 'c', name: 'clock_now', result: 5 }] },
    assistant('It is five.'),
  ]
  await gateway.call('session.commit', { sessionKey: 's', runId: 'r1', messages, status: 'done', usage })
  const told = { runId: 'r1', sessionKey: 's', status: 'done', response: 'Let me look.\n\nIt is five.', usage }
  assert.deepEqual(await gateway.call('session.run', { runId: 'r1' }), told)
  assert.deepEqual(await gateway.call('session.run', { runId: 'r1' }, { id: 'token:root', scopes: ['admin'], origin: 'owner' }), told)
  await assert.rejects(gateway.call('session.run', { runId: 'r1' }, { ...OWNER, id: 'token:other' }), refused('not_found'))
  for (let index = 0; index < 50; index += 1) await turn(gateway, 's', `later-${index}`, 'x')
  await assert.rejects(gateway.call('session.run', { runId: 'r1' }), refused('not_found'))
  assert.equal(gateway.store.documents.get('runs')?.size, 50)
})

test('a run cannot be begun twice, ended twice, or ended in another session', async () => {
  const gateway = scriptedGateway(sessions)
  const begin = () => gateway.call('session.begin', { sessionKey: 's', runId: 'r1', messages: [user('x')], history: 0 })
  const commit = (sessionKey: string) => gateway.call('session.commit', { sessionKey, runId: 'r1', messages: [assistant('y')], status: 'done' })
  await begin()
  await assert.rejects(begin(), refused('conflict', { message: /has begun already/ }))
  await assert.rejects(commit('other'), refused('conflict'))
  await commit('s')
  await assert.rejects(commit('s'), refused('conflict'))
  assert.equal((await gateway.call('session.get', { sessionKey: 's' })).messageCount, 2)
})
