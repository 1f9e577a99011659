import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, type JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGateway } from '@isopod/testing'
import { APIS, serving, spelled, streaming } from './raw-provider.ts'

/** Asks a model from inside the gateway, as the agent loop does: to everybody else `model.stream` does not exist. */
const asker = definePlugin((gateway) => {
  gateway.hooks.methods.tap('asker', (methods) => methods.add({
    name: 'asker.ask',
    scope: 'read',
    params: { type: 'object', required: ['model', 'text'], properties: { model: { type: 'string' }, text: { type: 'string' } } },
    async handle({ model, text }, ctx) {
      const { id, known } = (await ctx.call('model.resolve', { model })) as JsonObject
      const parts = []
      const messages = [{ role: 'user', parts: [{ type: 'text', text }] }]
      for await (const part of ctx.stream('model.stream', { id, request: { messages } })) parts.push(part)
      return { id, known, parts }
    },
  }))
})

async function withGateway(config: JsonObject, use: (gateway: TestGateway) => Promise<void>): Promise<void> {
  const gateway = await testGateway({ plugins: ['models', { id: 'asker', plugin: asker, needs: { models: '^1.0.0' } }], config })
  try {
    await use(gateway)
  } finally {
    await gateway.close()
  }
}

for (const api of APIS) {
  test(`${api}: the key of the config reaches the provider, and the answer the caller`, async () => {
    const answer = streaming(spelled(api, { text: 'Hi', finish: 'stop', usage: [3, 2] }))
    let key: string | string[] | undefined
    await serving((request, response) => {
      key = request.headers['x-api-key'] ?? request.headers.authorization
      void answer(request, response)
    }, (baseUrl) => withGateway({ models: { providers: { p: { api, apiKey: 'k-config', baseUrl } } } }, async (gateway) => {
      assert.deepEqual(await gateway.client().call('asker.ask', { model: 'p/m', text: 'hello' }), {
        id: 'p/m',
        known: true,
        parts: [
          { type: 'text', text: 'H' },
          { type: 'text', text: 'i' },
          { type: 'finish', reason: 'stop', usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } },
        ],
      })
    }))
    assert.match(String(key), /k-config$/)
  })
}

test('the models of a gateway are listed, and only the list is there for clients', async () => {
  await withGateway({}, async (gateway) => {
    const { models } = (await gateway.client({ scopes: ['read'] }).call('model.list')) as { models: readonly JsonObject[] }
    assert.equal(models.at(-1)?.['id'], 'isopod/offline')
    for (const method of ['model.resolve', 'model.stream']) assert.equal((await gateway.client().refusal(method)).code, 'method_not_found')
  })
})

test('an API that nobody serves is said at the start, one that a plugin brings is not', async () => {
  const brought = definePlugin((gateway) => {
    gateway.hooks.models.tap('zulu', (models) => models.add({ name: 'zulu', async *stream() {} }))
  })
  const config = { models: { providers: { local: { api: 'ollama' }, mine: { api: 'zulu' }, claude: { api: 'anthropic' } } } }
  const gateway = await testGateway({ plugins: ['models', { id: 'zulu', plugin: brought }], config })
  try {
    const said = gateway.log.recent().entries.filter(({ message }) => message.includes('no plugin serves')).map(({ level, message }) => [level, message])
    const served = 'openai, anthropic, openai-compatible, offline, zulu'
    assert.deepEqual(said, [['warn', `models.providers.local.api is ollama, which no plugin serves. Choose one of ${served}`]])
  } finally {
    await gateway.close()
  }
})

test('a call that is given up closes the request to the provider', async () => {
  const abort = new AbortController()
  const closed = Promise.withResolvers<void>()
  await serving((request, response) => {
    request.resume()
    response.once('close', () => closed.resolve())
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(spelled('openai', { text: 'Hi' }), () => abort.abort())
  }, (baseUrl) => withGateway({ models: { providers: { p: { api: 'openai', baseUrl } } } }, async (gateway) => {
    await assert.rejects(gateway.client().call('asker.ask', { model: 'p/m', text: 'hello' }, { signal: abort.signal }), { code: 'cancelled' })
    await closed.promise
  }))
})
