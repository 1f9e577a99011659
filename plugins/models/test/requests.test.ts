import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json, JsonObject, ModelRequest } from '@isopod/plugin-api'
import { APIS, serving, spelled, streaming, type Api } from './raw-provider.ts'
import { heard, refusal, SmallGateway, user } from './small-gateway.ts'

interface Sent {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: JsonObject
}

/** What the provider is sent for a request. */
function sent(api: Api, request: Partial<ModelRequest>, settings: JsonObject = {}): Promise<Sent> {
  let captured: Sent | undefined
  const answer = streaming(spelled(api, { text: 'ok', finish: 'stop' }))
  return serving((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      captured = { headers: incoming.headers, body: JSON.parse(Buffer.concat(chunks).toString()) as JsonObject }
      void answer(incoming, response)
    })
  }, async (baseUrl) => {
    const config = { providers: { p: { api, baseUrl, ...settings } } }
    await heard(new SmallGateway({ config, secrets: { key: 'k-1', tenant: 'acme' } }).ask('p/m', { messages: [user('hi')], ...request }))
    assert.ok(captured)
    return captured
  })
}

const has = (value: Json, piece: string): void => assert.ok(JSON.stringify(value).includes(piece), `${piece} in ${JSON.stringify(value)}`)

for (const api of APIS) {
  describe(api, () => {
    test('pictures go as data or as an address, and a text file as its text', async () => {
      const { body } = await sent(api, {
        messages: [{
          role: 'user',
          parts: [
            { type: 'image', data: 'iVBORw0KGgo=' },
            { type: 'image', url: 'https://pictures.example/a.png' },
            { type: 'image', url: 'data:image/gif;base64,R0lGODlh' },
            { type: 'file', data: Buffer.from('bread, milk').toString('base64'), mimeType: 'text/plain', name: 'list.txt' },
            { type: 'file', data: 'JVBERi0=', mimeType: 'application/pdf', name: 'a.pdf' },
          ],
        }],
      })
      for (const piece of ['iVBORw0KGgo=', 'https://pictures.example/a.png', 'R0lGODlh', 'image/gif', 'list.txt', 'bread, milk', 'JVBERi0=']) has(body, piece)
    })

    test('sampling, tools and the choice among them arrive under the API\'s own names', async () => {
      const tools = [{ name: 'add', description: 'Adds', params: { properties: { a: { type: 'number' } } } }]
      const { body } = await sent(api, { tools, toolChoice: { name: 'add' }, sampling: { temperature: 0.5, maxTokens: 99, stop: ['END'], topP: 0.9 } })
      has(body, api === 'anthropic' ? '"stop_sequences":["END"]' : '"stop":["END"]')
      has(body, '"max_tokens":99')
      has(body, '"temperature":0.5')
      has(body['tools'] ?? null, '"type":"object"')
      has(body['tool_choice'] ?? null, api === 'anthropic' ? '{"type":"tool","name":"add"' : '{"type":"function","function":{"name":"add"}}')
    })

    test('empty messages are left out, and a conversation of nothing is refused', async () => {
      const { body } = await sent(api, { messages: [user('first'), { role: 'assistant', parts: [] }, user(''), user('last')] })
      has(body, 'first')
      assert.doesNotMatch(JSON.stringify(body), /"content":(\[\]|""|null)/)
      const gateway = new SmallGateway({ config: { providers: { p: { api, baseUrl: 'http://127.0.0.1:9/v1' } } } })
      const { error } = await refusal(gateway.ask('p/m', { messages: [user('')] }))
      assert.deepEqual([error.code, error.param], ['invalid_request', 'messages'])
    })

    test('a failed tool and arguments that were no object go back in a form the API takes', async () => {
      const { body } = await sent(api, {
        messages: [
          user('add'),
          { role: 'assistant', parts: [{ type: 'toolCall', id: 'c1', name: 'add', args: 'half an arg' }] },
          { role: 'tool', parts: [{ type: 'toolResult', id: 'c1', name: 'add', result: 'It needs numbers', isError: true }] },
        ],
      })
      has(body, 'It needs numbers')
      has(body, { anthropic: '"is_error":true', openai: '{\\"error\\":', 'openai-compatible': 'It needs' }[api])
      has(body, api === 'anthropic' ? '"input":{}' : '"arguments":"{}"')
    })

    test('the owner\'s headers are sent, and no key where there is none', async () => {
      const { headers } = await sent(api, {}, { headers: { 'X-Tenant': { secret: 'tenant' } } })
      assert.equal(headers['x-tenant'], 'acme')
      assert.deepEqual([headers.authorization, headers['x-api-key']], [undefined, undefined])
    })

    test('an answer in JSON is asked for, with the schema where there is one', async () => {
      const schema = { type: 'object', properties: { sum: { type: 'number' } } }
      has((await sent(api, { sampling: { json: { schema } } })).body, '"sum"')
      has((await sent(api, { sampling: { json: {} } })).body, api === 'anthropic' ? 'Answer with one JSON value' : '"json_object"')
    })
  })
}

test('a schema that OpenAI\'s strict mode would refuse is sent as a guide', async () => {
  const open = { type: 'object', properties: { sum: { type: 'number' } } }
  const required = { ...open, required: ['sum'] }
  const closed = { ...required, additionalProperties: false }
  has((await sent('openai', { sampling: { json: { schema: open } } })).body, '"strict":false')
  has((await sent('openai', { sampling: { json: { schema: required } } })).body, '"strict":false')
  has((await sent('openai', { sampling: { json: { schema: closed } } })).body, '"strict":true')
})

test('thinking is asked for in each API\'s own way', async () => {
  const sampling = { thinking: 'low' } as const
  has((await sent('openai', { model: 'x', sampling })).body, '"reasoning_effort":"low"')
  has((await sent('openai-compatible', { sampling })).body, '"reasoning_effort":"low"')
  has((await sent('anthropic', { sampling })).body, '"thinking"')
})

test('Anthropic gets its instructions first and no thinking after a tool\'s result', async () => {
  const { body } = await sent('anthropic', {
    messages: [
      { role: 'system', parts: [{ type: 'text', text: 'Be kind' }] },
      user('add'),
      { role: 'system', parts: [{ type: 'text', text: 'Be brief' }] },
      { role: 'assistant', parts: [{ type: 'toolCall', id: 'c1', name: 'add', args: {} }] },
      { role: 'tool', parts: [{ type: 'toolResult', id: 'c1', name: 'add', result: 3 }] },
    ],
    sampling: { thinking: 'high' },
  })
  has(body['system'] ?? null, 'Be brief')
  assert.equal(body['thinking'], undefined)
  assert.deepEqual((body['messages'] as { role: string }[]).map(({ role }) => role), ['user', 'assistant', 'user'])
})

test('what cannot be sent is refused in words, before anything is', async () => {
  const gateway = new SmallGateway({
    config: {
      providers: {
        p: { api: 'openai', apiKey: { secret: 'broken' }, baseUrl: 'http://127.0.0.1:9' },
        nowhere: { api: 'openai-compatible' },
        secretive: { api: 'openai', baseUrl: 'http://user:hunter2@127.0.0.1:9' },
        query: { api: 'openai', baseUrl: 'http://127.0.0.1:9/v1?key=1' },
        misspelt: { api: 'antropic' },
        lost: { api: 'openai', apiKey: { secret: 'elsewhere' } },
      },
    },
    secrets: { broken: 'two\nlines' },
  })
  const cases: [string, Partial<ModelRequest>, string, RegExp][] = [
    ['p/m', { messages: [{ role: 'user', parts: [{ type: 'image' }] }] }, 'invalid_request', /needs data, or a url/],
    ['p/m', { messages: [{ role: 'user', parts: [{ type: 'image', url: 'file:///etc/passwd' }] }] }, 'invalid_request', /http/],
    ['p/m', { messages: [{ role: 'user', parts: [{ type: 'image', data: 'not base64!' }] }] }, 'invalid_request', /base64/],
    ['p/m', { messages: [user('hi')], tools: [{ name: 'a', params: {} }], toolChoice: { name: 'b' } }, 'invalid_request', /b was chosen/],
    ['p/m', { messages: [user('hi')] }, 'unavailable', /^models\.providers\.p\.apiKey holds characters/],
    ['lost/m', { messages: [user('hi')] }, 'unavailable', /^models\.providers\.lost\.apiKey names a secret that is not there/],
    ['nowhere/m', { messages: [user('hi')] }, 'unavailable', /^models\.providers\.nowhere\.baseUrl is missing/],
    ['secretive/m', { messages: [user('hi')] }, 'unavailable', /holds a password/],
    ['query/m', { messages: [user('hi')] }, 'unavailable', /must end with its path/],
    ['misspelt/m', { messages: [user('hi')] }, 'unavailable', /antropic, which no plugin serves\. Choose one of openai, anthropic/],
    ['unknown/m', { messages: [user('hi')] }, 'not_found', /unknown\/m/],
  ]
  for (const [id, request, code, words] of cases) {
    const { error } = await refusal(gateway.ask(id, request))
    assert.equal(error.code, code)
    assert.match(error.message, words)
    assert.doesNotMatch(error.message, /hunter2|two/)
  }
})
