/** The dialect on a real connection, in this process and behind the wall, with what serves the methods that others may bring. */
import { after, before, describe, test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { definePlugin, RpcError, type JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGateway, type TestSocket } from '@isopod/testing'

const USAGE = { promptTokens: 400, completionTokens: 50, totalTokens: 450 }

/** Serves the two methods this dialect has a message for and no plugin here has. */
const others = definePlugin(({ hooks }) => {
  hooks.methods.tap('heartbeat', (methods) => methods.add({
    name: 'heartbeat.trigger',
    scope: 'write',
    params: { type: 'object', additionalProperties: false, properties: { dryRun: { type: 'boolean' } } },
    handle: ({ dryRun = false }) => ({ result: 'HEARTBEAT_OK', actionsTaken: dryRun ? 3 : 0, usage: dryRun ? { ...USAGE, totalTokens: 0 } : USAGE }),
  }))
  hooks.methods.tap('skill', (methods) => methods.add({
    name: 'skill.invoke',
    scope: 'write',
    params: { type: 'object', required: ['skill'], additionalProperties: false, properties: { skill: { type: 'string' }, args: { type: 'string' } } },
    handle: ({ skill, args = '' }) => {
      if (skill !== 'email-assistant') throw new RpcError('not_found', `There is no skill ${skill}`)
      return { runId: 'r', sessionKey: 's', response: `${skill} did: ${args}`, toolCalls: [], usage: USAGE }
    },
  }))
})

async function asked(socket: TestSocket, frame: JsonObject): Promise<JsonObject> {
  const before = socket.frames.length
  socket.send(frame)
  const reply = await socket.first((one) => socket.frames.indexOf(one) >= before && (frame['id'] === undefined || one['id'] === frame['id']))
  return reply ?? assert.fail('the socket was closed')
}

for (const wall of [false, { except: ['models'] }]) {
  describe(wall ? 'behind the wall' : 'in the gateway\'s process', () => {
    let gateway: TestGateway
    let bare: TestGateway
    before(async () => {
      gateway = await testGateway({ plugins: ['dialect-typed', 'system', 'chat', 'models', 'sessions', 'tools', { id: 'others', plugin: others }], wall })
      bare = await testGateway({ plugins: ['dialect-typed', 'dialect-rpc'], wall })
    })
    after(() => Promise.all([gateway.close(), bare.close()]))

    const open = async (t: TestContext, where: TestGateway, headers = {}): Promise<TestSocket> => {
      const socket = await where.connect('/', headers)
      t.after(() => socket.close())
      return socket
    }

    test('a heartbeat and a skill are answered in the messages of the documents', async (t) => {
      const socket = await open(t, gateway)
      const { timestamp, ...beat } = await asked(socket, { type: 'heartbeat_trigger', payload: { dry_run: false } })
      assert.deepEqual(beat, { type: 'heartbeat_status', payload: { result: 'HEARTBEAT_OK', actions_taken: 0, tokens_used: 450 } })
      assert.ok(!Number.isNaN(Date.parse(String(timestamp))))
      const dry = await asked(socket, { type: 'heartbeat_trigger', id: 1, payload: { dry_run: true } })
      assert.deepEqual(dry['payload'], { result: 'HEARTBEAT_OK', actions_taken: 3, tokens_used: 0 })
      const skill = await asked(socket, { type: 'skill_invoke', id: 2, payload: { skill: 'email-assistant', args: 'check for urgent emails' } })
      assert.partialDeepStrictEqual(skill, { type: 'response', payload: { text: 'email-assistant did: check for urgent emails', tool_calls: [], tokens_used: 450 } })
      const unknown = await asked(socket, { type: 'skill_invoke', id: 3, payload: { skill: 'nobody' } })
      assert.partialDeepStrictEqual(unknown, { type: 'error', payload: { code: 'NOT_FOUND' } })
    })

    test('where nothing serves them they are METHOD_NOT_FOUND', async (t) => {
      const socket = await open(t, bare)
      for (const [type, payload] of [['heartbeat_trigger', {}], ['skill_invoke', { skill: 'x' }], ['chat', { text: 'Hi' }], ['status', {}]] as const) {
        assert.partialDeepStrictEqual(await asked(socket, { type, id: type, payload }), { type: 'error', id: type, payload: { code: 'METHOD_NOT_FOUND' } })
      }
    })

    test('what is no message at all is an error of this dialect once the socket speaks it', async (t) => {
      const socket = await open(t, gateway)
      await asked(socket, { type: 'status', id: 1 })
      for (const text of ['no JSON', '[]', '{"method":"system.ping"}', '{"type":"req","id":"1","method":"connect"}']) {
        const before = socket.frames.length
        socket.sendText(text)
        await socket.first(() => socket.frames.length > before)
        assert.partialDeepStrictEqual(socket.frames.at(-1), { type: 'error' })
      }
      assert.equal(socket.closed, undefined)
    })

    test('chats on one socket are one conversation, and two sockets are two', async (t) => {
      const [one, two] = [await open(t, gateway), await open(t, gateway)]
      for (const socket of [one, one, two]) await asked(socket, { type: 'chat', id: socket.frames.length, payload: { text: 'Hello' } })
      const { sessions } = (await gateway.client().call('session.list')) as { sessions: { messageCount: number }[] }
      assert.deepEqual(sessions.map(({ messageCount }) => messageCount), [2, 4])
    })
  })
}
