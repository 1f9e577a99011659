/** State that is changed through one spelling and seen through the others, by the process that was told and by the one after it. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { configOf, HOOK_TOKEN } from '../openapi/stage.mjs'
import { ask } from '../families/story.ts'
import { verifies } from '../requirements.ts'
import { gatewayFor, type StartedGateway } from '../main-job/started.ts'
import { frames, providerFor, shown } from './talk.ts'
import { called } from './presence.ts'

const UNLIMITED = 'gateway: { limits: { requestsPerMinute: 0, callsPerMinute: 0 } }\n'

/** Ends it without a word, and starts another at its home. */
async function killed(test: Parameters<typeof gatewayFor>[0], gateway: StartedGateway): Promise<StartedGateway> {
  await gateway.kill('SIGKILL')
  return gatewayFor(test, { home: gateway.home })
}

async function overSocket(gateway: StartedGateway, method: string, params: JsonObject = {}): Promise<JsonObject> {
  const socket = await gateway.socket()
  try {
    const { ok, payload, error } = await socket.call(method, params)
    assert.equal(ok, true, JSON.stringify(error))
    return payload as JsonObject
  } finally {
    socket.close()
  }
}

describe('a conversation', () => {
  it('begun on one socket is the history of the next message in every dialect and family, after a kill too', async (t) => {
    const provider = await providerFor(t)
    const first = await gatewayFor(t, { config: `${UNLIMITED}${provider.config}` })
    const key = 'told:to/all'
    const said: string[] = []
    const saying = async (text: string, say: (message: string) => Promise<unknown>) => {
      said.push(text)
      await say(text)
      assert.deepEqual(shown(provider), said)
    }
    const flat = (message: string) => ask(gateway, 'POST /api/v1/message', { channel: 'api', message, conversation_id: key })
    let gateway = first
    await saying('My cat is called Mia.', (message) => overSocket(gateway, 'chat.run', { message, sessionKey: key }))
    await saying('She is three.', (text) => frames(gateway, 'typed', [{ type: 'chat', id: 'a', payload: { text, context: { sessionKey: key } } }]))
    await saying('She is black.', (text) => frames(gateway, 'simple', [{ type: 'chat', id: 'b', payload: { text, context: { conversation_id: key } } }]))
    await saying('She is fat.', flat)
    gateway = await killed(t, gateway)
    await saying('What is she called?', (text) => frames(gateway, 'typed', [{ type: 'chat', id: 'c', payload: { text, context: { sessionKey: key } } }]))
    await saying('How old is she?', (message) => ask(gateway, 'POST /v1/agent/run', { message, sessionKey: key }))
    await saying('Which colour?', (message) => ask(gateway, 'POST /api/endpoint', { method: 'chat.run', params: { message, sessionKey: key } }))
    const { body } = await ask(gateway, 'GET /api/v1/conversations')
    assert.deepEqual((body['conversations'] as JsonObject[]).map((row) => [row['conversation_id'], row['messageCount']]), [[key, 14]])
  })

  it('that is renamed by one is renamed for all, and one that is reset is empty for all, after a kill too', async (t) => {
    const provider = await providerFor(t)
    let gateway = await gatewayFor(t, { config: `${UNLIMITED}${provider.config}` })
    for (const sessionKey of ['named', 'emptied']) await ask(gateway, 'POST /v1/agent/run', { message: 'Before', sessionKey })
    await overSocket(gateway, 'session.patch', { sessionKey: 'named', title: 'Of cats' })
    await ask(gateway, 'POST /api/rpc', { method: 'session.reset', params: { sessionKey: 'emptied' } })
    const look = async () => {
      const rows = (await ask(gateway, 'GET /v1/sessions')).body['sessions'] as JsonObject[]
      return {
        lesson: rows.find(({ sessionKey }) => sessionKey === 'named')?.['title'],
        flat: (await ask(gateway, 'GET /api/v1/conversations/named')).body['title'],
        named: ((await called(gateway, 'session.get', { sessionKey: 'named' })).result)?.['title'],
        left: rows.find(({ sessionKey }) => sessionKey === 'emptied')?.['messageCount'],
        flatLeft: (await ask(gateway, 'GET /api/v1/conversations/emptied')).body['messages'],
      }
    }
    const seen = { lesson: 'Of cats', flat: 'Of cats', named: 'Of cats', left: 0, flatLeft: [] }
    assert.deepEqual(await look(), seen)
    gateway = await killed(t, gateway)
    assert.deepEqual(await look(), seen)
    await frames(gateway, 'typed', [{ type: 'chat', id: 'a', payload: { text: 'After', context: { sessionKey: 'emptied' } } }])
    assert.deepEqual(shown(provider), ['After'])
  })

  it('that is deleted is unknown to every dialect, and the model is shown none of it', async (t) => {
    const provider = await providerFor(t)
    const gateway = await gatewayFor(t, { config: `${UNLIMITED}${provider.config}` })
    await frames(gateway, 'typed', [{ type: 'chat', id: 'a', payload: { text: 'A secret', context: { sessionKey: 'gone' } } }])
    await overSocket(gateway, 'session.delete', { sessionKey: 'gone' })
    assert.equal((await ask(gateway, 'GET /v1/sessions/gone')).status, 404)
    assert.equal((await ask(gateway, 'GET /api/v1/conversations/gone')).status, 404)
    const [refused] = await frames(gateway, 'simple', [{ id: 'b', method: 'session.get', params: { sessionKey: 'gone' } }])
    assert.partialDeepStrictEqual(refused, { payload: { code: 'NOT_FOUND' } })
    await ask(gateway, 'POST /api/v1/message', { channel: 'api', message: 'Which secret?', conversation_id: 'gone' })
    assert.deepEqual(shown(provider), ['Which secret?'])
  })
})

describe('what a run is asked to be like', () => {
  it('reaches the provider from every spelling: the model, and how much it is to think', async (t) => {
    verifies('002:chat.run:thinking', '002:agent.run:options', '004:hooks:agent:model', '002:completions:sampling')
    const provider = await providerFor(t)
    const gateway = await gatewayFor(t, { config: `${UNLIMITED}${provider.config}hooks: { enabled: true, token: "${HOOK_TOKEN}" }\n` })
    const asked = () => [provider.prompts.at(-1)?.model, provider.prompts.at(-1)?.reasoning_effort]
    await overSocket(gateway, 'chat.run', { message: 'Hello', options: { thinking: 'medium', model: 'up/one' } })
    assert.deepEqual(asked(), ['one', 'medium'])
    await ask(gateway, 'POST /v1/agent/run', { message: 'Hello', agentId: 'default', options: { thinking: 'low', model: 'up/two' } })
    assert.deepEqual(asked(), ['two', 'low'])
    await ask(gateway, 'POST /v1/chat/completions', { model: 'up/three', reasoning_effort: 'high', messages: [{ role: 'user', content: 'Hello' }] })
    assert.deepEqual(asked(), ['three', 'high'])
    await frames(gateway, 'typed', [{ type: 'chat', id: 'a', payload: { text: 'Hello', options: { model: 'up/four' } } }])
    assert.deepEqual(asked(), ['four', undefined])
    const hook = { message: 'Hello', sessionKey: 'hook:five', model: 'up/five', thinking: 'high' }
    assert.equal((await ask(gateway, 'POST /hooks/agent', hook, { authorization: `Bearer ${HOOK_TOKEN}` })).status, 200)
    while (provider.prompts.length < 5) await ask(gateway, 'GET /healthz')
    assert.deepEqual(asked(), ['five', 'high'])
  })

  it('and whether it is told as it goes is the client\'s to say', async (t) => {
    verifies('002:chat.run:stream')
    const provider = await providerFor(t)
    const gateway = await gatewayFor(t, { config: `${UNLIMITED}${provider.config}` })
    const socket = await gateway.socket()
    await socket.call('chat.run', { message: 'Hello', options: { stream: false } })
    assert.deepEqual([socket.events('chat.delta').length, socket.events('chat.done').length], [0, 1])
    await socket.call('chat.run', { message: 'Hello', options: { stream: true } })
    assert.equal(socket.events('chat.delta').map(({ delta }) => delta).join(''), 'Noted.')
    socket.close()
  })
})

describe('usage', () => {
  it('is what the provider counted in every dialect', async (t) => {
    const provider = await providerFor(t)
    const gateway = await gatewayFor(t, { config: `${UNLIMITED}${provider.config}` })
    const counted = { promptTokens: 7, completionTokens: 5, totalTokens: 12 }
    const socket = await gateway.socket()
    const { payload } = await socket.call('chat.run', { message: 'Hello' })
    assert.deepEqual((payload as JsonObject)['usage'], counted)
    assert.deepEqual(socket.events('chat.done').map(({ usage }) => usage), [counted])
    socket.close()
    const chat = { type: 'chat', id: 'a', payload: { text: 'Hello' } }
    const [typed] = await frames(gateway, 'typed', [chat])
    assert.partialDeepStrictEqual(typed, { payload: { tokens_used: 12 } })
    const [simple] = await frames(gateway, 'simple', [chat])
    assert.partialDeepStrictEqual(simple, { payload: { usage: counted } })
    assert.equal(provider.prompts.length, 3)
  })
})

describe('a channel', () => {
  it('that is switched off under /v1 is off in every status and on every socket, after a kill too', async (t) => {
    let gateway = await gatewayFor(t, { config: configOf() })
    const look = async () => {
      const flat = (await ask(gateway, 'GET /api/v1/channels')).body['channels'] as JsonObject[]
      const listed = (await overSocket(gateway, 'channel.list'))['channels'] as JsonObject[]
      const [typed] = await frames(gateway, 'typed', [{ type: 'status', id: 'a' }])
      const inStatus = (status: unknown) => (status as { channels: JsonObject }).channels['discord']
      return [
        flat.find(({ id }) => id === 'discord')?.['status'],
        listed.find(({ id }) => id === 'discord')?.['status'],
        inStatus((await ask(gateway, 'GET /status')).body),
        inStatus((await ask(gateway, 'GET /api/v1/status')).body),
        inStatus(await overSocket(gateway, 'system.status')),
        inStatus(typed?.['payload']),
      ]
    }
    assert.deepEqual(new Set(await look()), new Set(['connected']))
    await ask(gateway, 'POST /v1/channels/discord/disable')
    assert.deepEqual(new Set(await look()), new Set(['disabled']))
    gateway = await killed(t, gateway)
    assert.deepEqual(new Set(await look()), new Set(['disabled']))
  })
})

describe('the config', () => {
  it('that is put over HTTP is what a socket gets, what the file says and what the model is told, after a kill too', async (t) => {
    const provider = await providerFor(t)
    let gateway = await gatewayFor(t, { config: `# mine\n${UNLIMITED}${provider.config}` })
    const { headers } = await ask(gateway, 'GET /api/v1/config')
    const put = await ask(gateway, 'PUT /api/v1/config', { agents: { default: { system: 'You are terse.' } } }, { 'if-match': headers.get('etag') ?? '' })
    assert.equal(put.status, 200)
    const look = async () => {
      const { config, revision } = await overSocket(gateway, 'config.get')
      assert.equal(revision, put.body['revision'])
      assert.equal((((config as JsonObject)['agents'] as JsonObject)['default'] as JsonObject)['system'], 'You are terse.')
      assert.match(await readFile(join(gateway.home, 'gateway.yaml'), 'utf8'), /^# mine\n[\s\S]*You are terse\./)
      await frames(gateway, 'typed', [{ type: 'chat', id: 'a', payload: { text: 'Hello' } }])
      assert.match(JSON.stringify(provider.prompts.at(-1)?.messages[0]), /You are terse\./)
    }
    await look()
    gateway = await killed(t, gateway)
    await look()
  })
})

describe('the log', () => {
  it('holds what one spelling caused for every way of reading it, after a kill too', async (t) => {
    let gateway = await gatewayFor(t, { config: UNLIMITED })
    await ask(gateway, 'POST /api/rpc', { method: 'plugin.disable', params: { id: 'openai' } })
    const look = async () => {
      const page = (await ask(gateway, 'GET /api/v1/logs?level=info&limit=1000')).body
      const called = await overSocket(gateway, 'log.read', { level: 'info', limit: 1000 })
      const changes = ({ entries }: JsonObject) => (entries as JsonObject[]).filter(({ message }) => message === 'The config has changed').map(({ revision }) => revision)
      assert.equal(changes(page).length, 1)
      assert.deepEqual(changes(called), changes(page))
    }
    await look()
    gateway = await killed(t, gateway)
    await look()
  })
})
