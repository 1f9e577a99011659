/** Sessions on a whole gateway, with another plugin that runs turns in them, in this process and behind the wall. */
import { describe, test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { definePlugin, type JsonObject } from '@isopod/plugin-api'
import { TestClock, testGateway, type TestClient, type TestGatewayOptions } from '@isopod/testing'
import type { SessionBegun, SessionDetail, SessionList, SessionRow, SessionRun } from '../contract.ts'
import { assistant, user } from './scripted-gateway.ts'

/** Asks for what only plugins may ask for, in the name of whoever calls it. */
const driver = definePlugin(({ hooks }) => {
  hooks.methods.tap('driver', (methods) => {
    for (const act of ['begin', 'commit', 'run'] as const) {
      methods.add({ name: `driver.${act}`, scope: 'write', handle: (params: JsonObject, ctx) => ctx.call(`session.${act}`, params) })
    }
  })
})

const HOUR_MS = 3_600_000

const PLUGINS = ['sessions', { id: 'driver', plugin: driver, needs: { sessions: '^1.0.0' } }] as const

for (const wall of [false, true]) {
  describe(wall ? 'behind the wall' : 'in the gateway\'s process', () => {
    async function open(t: TestContext, options: Partial<TestGatewayOptions> = {}) {
      const gateway = await testGateway({ plugins: PLUGINS, wall, ...options })
      t.after(() => gateway.close())
      return gateway
    }

    /** What the methods answer is their contract's. */
    const begin = async (client: TestClient, params: JsonObject) => (await client.call('driver.begin', { sessionKey: 's', history: 0, messages: [user('hello')], ...params })) as unknown as SessionBegun
    const commit = (client: TestClient, params: JsonObject) => client.call('driver.commit', { sessionKey: 's', messages: [assistant('hi')], status: 'done', ...params })
    const run = async (client: TestClient, runId: string) => (await client.call('driver.run', { runId })) as unknown as SessionRun
    const get = async (client: TestClient, params: JsonObject = {}) => (await client.call('session.get', { sessionKey: 's', ...params })) as unknown as SessionDetail
    const list = async (client: TestClient, params: JsonObject = {}) => (await client.call('session.list', params)) as unknown as SessionList
    const patch = async (client: TestClient, params: JsonObject) => (await client.call('session.patch', { sessionKey: 's', ...params })) as unknown as SessionRow

    async function turn(client: TestClient, sessionKey: string, runId: string) {
      await begin(client, { sessionKey, runId, messages: [user(`ask ${runId}`)] })
      await commit(client, { sessionKey, runId, messages: [assistant(`answer ${runId}`)] })
    }

    test('a turn that was begun and committed is told back, and is the history of the next', async (t) => {
      const clock = new TestClock(Date.UTC(2026, 1, 14))
      const client = (await open(t, { clock })).client()
      await begin(client, { runId: 'r1', agentId: 'work', channel: 'ws', metadata: { from: 'phone' } })
      await clock.advance(HOUR_MS)
      await commit(client, { runId: 'r1', usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 } })
      const { createdAt, updatedAt, ...told } = await get(client)
      // Inside a call behind the wall time goes on by itself: the hour is certain, the millisecond is not.
      assert.deepEqual([createdAt.slice(0, 13), updatedAt.slice(0, 13)], ['2026-02-14T00', '2026-02-14T01'])
      assert.deepEqual(told, {
        sessionKey: 's', agentId: 'work', channel: 'ws', messageCount: 2,
        messages: [
          { id: '1', role: 'user', content: 'hello', createdAt: '2026-02-14T00:00:00.000Z', runId: 'r1', metadata: { from: 'phone' } },
          { id: '2', role: 'assistant', content: 'hi', createdAt: '2026-02-14T01:00:00.000Z', runId: 'r1' },
        ],
      })
      assert.deepEqual(await begin(client, { runId: 'r2', history: 10 }), { history: [user('hello'), assistant('hi')], agentId: 'work' })
    })

    test('a run is told to its own caller and to an administrator', async (t) => {
      const gateway = await open(t)
      const own = gateway.client({ id: 'one', scopes: ['read', 'write'] })
      await begin(own, { runId: 'r1' })
      assert.deepEqual(await run(own, 'r1'), { runId: 'r1', sessionKey: 's', status: 'open', response: '' })
      await commit(own, { runId: 'r1' })
      assert.deepEqual(await run(gateway.client({ id: 'two' }), 'r1'), { runId: 'r1', sessionKey: 's', status: 'done', response: 'hi' })
      assert.equal((await gateway.client({ id: 'three', scopes: ['read', 'write'] }).refusal('driver.run', { runId: 'r1' })).code, 'not_found')
    })

    test('what only plugins may ask for is no method to a client', async (t) => {
      const client = (await open(t)).client()
      for (const method of ['session.begin', 'session.commit', 'session.run']) {
        assert.equal((await client.refusal(method, { sessionKey: 's', runId: 'r1' })).code, 'method_not_found', method)
      }
    })

    test('sessions are listed newest first, a page at a time', async (t) => {
      const clock = new TestClock()
      const client = (await open(t, { clock })).client()
      for (const key of ['a', 'b', 'c', 'd', 'e']) {
        await turn(client, key, `run-${key}`)
        await clock.advance(HOUR_MS)
      }
      await turn(client, 'b', 'again')
      const pages: string[][] = []
      let after: string | undefined
      do {
        const { sessions, next } = await list(client, { limit: 2, ...(after !== undefined && { after }) })
        pages.push(sessions.map(({ sessionKey }) => sessionKey))
        after = next
      } while (after !== undefined)
      assert.deepEqual(pages, [['b', 'e'], ['d', 'c'], ['a']])
      assert.equal((await client.refusal('session.list', { after: 'b' })).param, 'after')
    })

    test('messages are read back in pages, the newest first, each page oldest first', async (t) => {
      const client = (await open(t)).client()
      for (let index = 0; index < 5; index += 1) await turn(client, 's', `r${index}`)
      const ids = async (params: JsonObject) => (await get(client, params)).messages.map(({ id }) => id)
      assert.deepEqual(await ids({ limit: 4 }), ['7', '8', '9', '10'])
      assert.deepEqual(await ids({ limit: 4, before: '7' }), ['3', '4', '5', '6'])
      assert.deepEqual(await ids({ limit: 4, before: '3' }), ['1', '2'])
    })

    test('a session takes a title and another agent, and keeps them when it is emptied', async (t) => {
      const client = (await open(t)).client()
      await turn(client, 's', 'r1')
      assert.equal((await patch(client, { title: 'Taxes' })).title, 'Taxes')
      assert.equal((await patch(client, { agentId: 'work' })).title, 'Taxes')
      await client.call('session.reset', { sessionKey: 's' })
      const { title, agentId, messageCount, messages } = await get(client)
      assert.deepEqual({ title, agentId, messageCount, messages }, { title: 'Taxes', agentId: 'work', messageCount: 0, messages: [] })
      assert.equal((await client.refusal('driver.run', { runId: 'r1' })).code, 'not_found')
      assert.deepEqual((await begin(client, { runId: 'r2', history: 10 })).history, [])
    })

    test('a deleted session is gone with its runs, and its key is free for a new one', async (t) => {
      const client = (await open(t)).client()
      await turn(client, 's', 'r1')
      assert.deepEqual(await client.call('session.delete', { sessionKey: 's' }), { ok: true })
      assert.deepEqual((await list(client)).sessions, [])
      for (const method of ['session.get', 'session.patch', 'session.reset', 'session.delete']) {
        const { code, param } = await client.refusal(method, { sessionKey: 's', ...(method === 'session.patch' && { title: 'x' }) })
        assert.deepEqual({ code, param }, { code: 'not_found', param: 'sessionKey' }, method)
      }
      assert.equal((await client.refusal('driver.run', { runId: 'r1' })).code, 'not_found')
      await turn(client, 's', 'r2')
      assert.deepEqual((await get(client)).messages.map(({ content }) => content), ['ask r2', 'answer r2'])
    })

    test('a run that was open when the process was killed is interrupted in the next, and ends no more', async (t) => {
      const clock = new TestClock()
      const killed = await open(t, { clock })
      await begin(killed.client(), { runId: 'r1' })
      await turn(killed.client(), 's', 'r2')
      await clock.advance(1000)
      const client = (await open(t, { clock, store: killed.store })).client()
      assert.deepEqual([(await run(client, 'r1')).status, (await run(client, 'r2')).status], ['interrupted', 'done'])
      const { messages, messageCount } = await get(client)
      assert.deepEqual(messages.map(({ role, content, status }) => [role, content, status]), [
        ['user', 'hello', undefined], ['user', 'ask r2', undefined], ['assistant', 'answer r2', undefined], ['assistant', '', 'interrupted'],
      ])
      assert.equal(messageCount, 3)
      assert.equal((await client.refusal('driver.commit', { sessionKey: 's', runId: 'r1', messages: [], status: 'done' })).code, 'conflict')
    })

    test('a run that is open when the plugin is replaced goes on', async (t) => {
      const gateway = await open(t)
      const client = gateway.client()
      await begin(client, { runId: 'r1' })
      await gateway.renew()
      assert.equal((await run(client, 'r1')).status, 'open')
      await commit(client, { runId: 'r1' })
      assert.equal((await run(client, 'r1')).response, 'hi')
    })

    test('runs at once in one session each keep their question and their answer', async (t) => {
      const client = (await open(t)).client()
      const runs = Array.from({ length: 20 }, (_, index) => `r${index}`)
      await Promise.all(runs.map((runId) => turn(client, 's', runId)))
      const { messages, messageCount } = await get(client)
      assert.equal(messageCount, 40)
      assert.deepEqual(messages.map(({ content }) => content).toSorted(), runs.flatMap((runId) => [`ask ${runId}`, `answer ${runId}`]).toSorted())
      for (const runId of runs) assert.equal((await run(client, runId)).response, `answer ${runId}`)
      assert.deepEqual((await list(client)).sessions.map(({ sessionKey }) => sessionKey), ['s'])
    })

    test('of two that begin the same run, one is refused', async (t) => {
      const client = (await open(t)).client()
      const asked = { sessionKey: 's', runId: 'r1', messages: [user('x')], history: 0 }
      const outcomes = await Promise.allSettled([client.call('driver.begin', asked), client.call('driver.begin', asked)])
      assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
      assert.equal((await get(client)).messageCount, 1)
    })

    test('what is no session key is refused by name, whichever method is asked', async (t) => {
      const client = (await open(t)).client()
      const asked: Record<string, JsonObject> = {
        'session.get': {}, 'session.reset': {}, 'session.delete': {}, 'session.patch': { title: 'x' },
        'driver.begin': { runId: 'r', messages: [], history: 0 }, 'driver.commit': { runId: 'r', messages: [], status: 'done' },
      }
      for (const sessionKey of ['', 'a\nb', 'x'.repeat(257)]) {
        for (const [method, more] of Object.entries(asked)) {
          const { code, message, param } = await client.refusal(method, { sessionKey, ...more })
          assert.deepEqual({ code, message, param }, { code: 'invalid_request', message: 'Invalid session key', param: 'sessionKey' }, method)
        }
      }
    })

    test('every change of a session is told to whoever subscribed', async (t) => {
      const gateway = await open(t)
      const listener = gateway.client({ id: 'listener', scopes: ['read'] })
      await listener.call('events.subscribe', { events: ['session.changed'] })
      const client = gateway.client()
      await turn(client, 's', 'r1')
      await patch(client, { title: 't' })
      await client.call('session.reset', { sessionKey: 's' })
      await client.call('session.delete', { sessionKey: 's' })
      await listener.heard('session.changed', ({ data }) => data['change'] === 'deleted')
      const told = ['created', 'messages', 'patched', 'reset', 'deleted'].map((change) => ({ sessionKey: 's', change }))
      assert.deepEqual(listener.events.map(({ data }) => data), told)
    })
  })
}
