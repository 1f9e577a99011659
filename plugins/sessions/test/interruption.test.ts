import { test } from 'node:test'
import assert from 'node:assert/strict'
import sessions from '../index.ts'
import { assistant, refused, scriptedGateway, user } from './scripted-gateway.ts'

const begin = { sessionKey: 's', runId: 'r1', messages: [user('hello')], history: 0 }

test('a run that was open when the process was killed is interrupted, and the session says so', async () => {
  const gateway = scriptedGateway(sessions)
  await gateway.call('session.begin', begin)
  await gateway.restart()
  assert.equal((await gateway.call('session.run', { runId: 'r1' })).status, 'interrupted')
  const { messages, messageCount } = await gateway.call('session.get', { sessionKey: 's' })
  assert.deepEqual(messages.map(({ role, content, status }) => [role, content, status]), [['user', 'hello', undefined], ['assistant', '', 'interrupted']])
  assert.equal(messageCount, 1)
  await assert.rejects(gateway.call('session.commit', { sessionKey: 's', runId: 'r1', messages: [assistant('late')], status: 'done' }), refused('conflict'))
})

test('a model is not shown the mark of an interrupted run, but what the user said', async () => {
  const gateway = scriptedGateway(sessions)
  await gateway.call('session.begin', begin)
  await gateway.restart()
  const { history } = await gateway.call('session.begin', { ...begin, runId: 'r2', history: 10 })
  assert.deepEqual(history, [user('hello')])
})

test('every run that was left open is found, however many there are', async () => {
  const gateway = scriptedGateway(sessions)
  for (let index = 0; index < 250; index += 1) await gateway.call('session.begin', { ...begin, sessionKey: `s${index % 7}`, runId: `r${index}` })
  await gateway.restart()
  assert.equal(gateway.store.documents.get('open')?.size, 0)
  assert.equal((await gateway.call('session.run', { runId: 'r249' })).status, 'interrupted')
})

test('a swap of the plugin leaves the runs of this process open', async () => {
  const gateway = scriptedGateway(sessions)
  await gateway.call('session.begin', begin)
  await gateway.swap()
  assert.equal((await gateway.call('session.run', { runId: 'r1' })).status, 'open')
  await gateway.call('session.commit', { sessionKey: 's', runId: 'r1', messages: [assistant('hi')], status: 'done' })
  assert.equal((await gateway.call('session.run', { runId: 'r1' })).response, 'hi')
})

test('what an aborted run had said is kept and marked; a failed run without words leaves the mark alone', async () => {
  const gateway = scriptedGateway(sessions)
  await gateway.call('session.begin', begin)
  await gateway.call('session.commit', { sessionKey: 's', runId: 'r1', messages: [assistant('I was go')], status: 'aborted' })
  await gateway.call('session.begin', { ...begin, runId: 'r2' })
  const error = { code: 'unavailable', message: 'The model is away' }
  await gateway.call('session.commit', { sessionKey: 's', runId: 'r2', messages: [], status: 'failed', error })
  const { messages } = await gateway.call('session.get', { sessionKey: 's' })
  assert.deepEqual(messages.map(({ content, status }) => [content, status]), [['hello', undefined], ['I was go', 'aborted'], ['hello', undefined], ['', 'failed']])
  assert.deepEqual((await gateway.call('session.run', { runId: 'r2' })).error, error)
})
