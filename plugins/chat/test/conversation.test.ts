/** Whole conversations, through the real kernel, store, sessions, tools and the offline model, in this process and behind the wall. */
import { describe, test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { TestClock, testGateway, type TestClient, type TestGatewayOptions } from '@isopod/testing'
import type { ChatResumed, ChatRunResult, ChatStarted } from '../contract.ts'
import type { SessionDetail } from '../../sessions/contract.ts'

const PLUGINS = ['models', 'tools', 'sessions', 'chat']

// The models plugin needs Node itself, for its providers; everything else must do without.
for (const wall of [false, { except: ['models'] }]) {
  describe(wall ? 'behind the wall' : 'in the gateway\'s process', () => {
    async function open(t: TestContext, options: Partial<TestGatewayOptions> = {}) {
      const gateway = await testGateway({ plugins: PLUGINS, wall, ...options })
      t.after(() => gateway.close())
      return gateway
    }

    /** What the methods answer is their contracts'. */
    const started = async (client: TestClient, message: string) => (await client.call('chat.start', { message, sessionKey: 's' })) as unknown as ChatStarted
    const ran = async (client: TestClient, params: object) => (await client.call('chat.run', { sessionKey: 's', ...params })) as unknown as ChatRunResult
    const resumed = async (client: TestClient, runId: string, after: number) => (await client.call('chat.resume', { runId, after })) as unknown as ChatResumed
    const session = async (client: TestClient) => (await client.call('session.get', { sessionKey: 's' })) as unknown as SessionDetail

    /** Slower than any test: it says one word and then waits. */
    const SLOW = '/slow 60000\nhello'

    test('an answer is the deltas put together, through a round of tools', async (t) => {
      const gateway = await open(t)
      const client = gateway.client()
      const { response, usage } = await ran(client, { message: '/call calculator {"expression":"6*7"}' })
      assert.match(response, /calculator answered {"value":42}$/)
      const deltas = client.events.filter(({ name }) => name === 'chat.delta').map(({ data }) => data['delta'])
      assert.equal(deltas.join(''), response)
      const names = client.events.map(({ name }) => name).filter((name, index, all) => name !== all[index - 1])
      assert.deepEqual(names, ['chat.started', 'tool.call', 'tool.result', 'chat.delta', 'chat.done'])
      assert.deepEqual(client.events.map(({ seq }) => seq), client.events.map((_, index) => index + 1))
      assert.equal(usage.totalTokens, usage.promptTokens + usage.completionTokens)
    })

    test('a conversation goes on after the process was killed, and says what was interrupted', async (t) => {
      const killed = await open(t)
      const before = killed.client()
      await ran(before, { message: 'remember me' })
      const { runId } = await started(before, SLOW)
      await before.heard('chat.delta', ({ runId: of }) => of === runId)
      const next = await open(t, { store: killed.store })
      const client = next.client()
      const { messages } = await session(client)
      assert.deepEqual(messages.map(({ role, content, status }) => [role, content.split(' ').at(-1), status]), [
        ['user', 'me', undefined], ['assistant', 'me', undefined], ['user', '60000\nhello', undefined], ['assistant', '', 'interrupted'],
      ])
      const { status, events, lastSeq } = await resumed(client, runId, 0)
      assert.deepEqual({ status, events, lastSeq }, { status: 'interrupted', events: false, lastSeq: 0 })
      await ran(client, { message: 'go on' })
      // The dead process's run wakes up once more, and has no word in it any longer.
      await before.call('chat.abort', { runId })
      await before.heard('chat.error', ({ runId: of }) => of === runId)
      assert.equal((await session(client)).messages.length, 6)
    })

    test('an abort reaches a run that is in the middle of its answer, and the session keeps what it said', async (t) => {
      const gateway = await open(t)
      const client = gateway.client()
      const { runId } = await started(client, SLOW)
      await client.heard('chat.delta')
      assert.deepEqual(await client.call('chat.abort', { runId }), { ok: true, aborted: true })
      const { data } = await client.heard('chat.error')
      assert.deepEqual([data['runId'], data['sessionKey'], (data['error'] as { code: string }).code], [runId, 's', 'cancelled'])
      const last = (await session(client)).messages.at(-1)
      assert.deepEqual([last?.content, last?.status], ['I ', 'aborted'])
      assert.deepEqual(await client.call('chat.abort', { runId }), { ok: true, aborted: false })
    })

    test('an abort waits for nothing: not for a clock, not for the model, not for a word that is due in a minute', async (t) => {
      // This clock never moves, so whatever waited for a grace or a deadline would wait for good.
      const gateway = await open(t, { clock: new TestClock() })
      const client = gateway.client()
      const running = assert.rejects(ran(client, { message: SLOW }), { code: 'cancelled' })
      const { data } = await client.heard('chat.delta')
      assert.deepEqual(await client.call('chat.abort', { runId: data['runId'] as string }), { ok: true, aborted: true })
      await running
    })

    test('a client that lost its socket hears the rest of its run, and nobody else hears it', async (t) => {
      const gateway = await open(t)
      const lost = gateway.client({ id: 'token:phone', scopes: ['read', 'write'] })
      const { runId, sessionKey } = await started(lost, SLOW)
      await lost.heard('chat.delta')
      lost.leave()
      const stranger = gateway.client({ id: 'token:other', scopes: ['read', 'write'] })
      assert.equal((await stranger.refusal('chat.resume', { runId })).code, 'not_found')
      assert.equal((await stranger.refusal('chat.abort', { runId })).code, 'not_found')
      const back = gateway.client({ id: 'token:phone', scopes: ['read', 'write'] })
      assert.deepEqual(await resumed(back, runId, 1), { runId, sessionKey, status: 'open', firstSeq: 1, lastSeq: 2, events: true })
      assert.deepEqual(back.events.map(({ seq, name }) => [seq, name]), [[2, 'chat.delta']])
      await back.call('chat.abort', { runId })
      assert.equal((await back.heard('chat.error')).seq, 3)
      assert.deepEqual(stranger.events, [])
    })

    test('a request that cannot be meant is refused by the name of what is wrong', async (t) => {
      const gateway = await open(t)
      const client = gateway.client()
      const { code, param } = await client.refusal('chat.run', { message: 'x', sesionKey: 's' })
      assert.deepEqual([code, param], ['invalid_request', 'sesionKey'])
      assert.equal((await client.refusal('chat.run', { message: 'x', sessionKey: '' })).message, 'Invalid session key')
      assert.equal((await client.refusal('session.begin', { sessionKey: 's' })).code, 'method_not_found')
    })

    test('twenty runs at once in one session each keep their question and their answer', async (t) => {
      const gateway = await open(t)
      const client = gateway.client()
      await Promise.all(Array.from({ length: 20 }, (_, index) => ran(client, { message: `number ${index}.` })))
      const { messages, messageCount } = await session(client)
      assert.equal(messageCount, 40)
      for (const { content, runId } of messages.filter(({ role }) => role === 'user')) {
        const answer = messages.find((one) => one.role === 'assistant' && one.runId === runId)
        assert.equal(answer?.content.endsWith(content), true, content)
      }
    })
  })
}
