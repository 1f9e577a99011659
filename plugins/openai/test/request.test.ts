/** Requests that are wrong, and those that are unusual: what is refused, by which name, and what is let through. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Json, JsonObject, Refusal } from '@isopod/plugin-api'
import { completion, decoded } from './row.ts'

async function refusal(body: Json | undefined): Promise<Refusal> {
  const asked = await decoded({ verb: 'POST', path: '/v1/chat/completions', ...(body !== undefined && { body }) })
  assert.ok('refuse' in asked, 'the request was let through')
  return asked.refuse
}

async function params(body: JsonObject): Promise<JsonObject> {
  const asked = await decoded(completion(body))
  if ('refuse' in asked) assert.fail(asked.refuse.message)
  return asked.params
}

const user = (content: Json): JsonObject => ({ messages: [{ role: 'user', content }] })
const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }

test('a body that is no object is refused as one, and blames no field', async () => {
  for (const body of [undefined, null, [], 'text', 5]) {
    assert.deepEqual(await refusal(body), { code: 'invalid_request', message: 'Invalid request body: it must be a JSON object' })
  }
})

const WRONG: readonly (readonly [param: string, body: JsonObject])[] = [
  ['model', { model: null }],
  ['model', { model: 4 }],
  ['model', { model: '' }],
  ['messages', { messages: 'Hello' }],
  ['messages', { messages: [] }],
  ['messages[0]', { messages: ['Hello'] }],
  ['messages[0].role', { messages: [{ role: 'narrator', content: 'x' }] }],
  ['messages[0].role', { messages: [{ content: 'x' }] }],
  ['messages[2].content', { messages: [{ role: 'user', content: 'a' }, { role: 'assistant', content: 'b' }, { role: 'user', content: 5 }] }],
  ['messages[0].content', { messages: [{ role: 'assistant', content: null }] }],
  ['messages[0].content', user([])],
  ['messages[0].content[1].text', user([{ type: 'text', text: 'a' }, { type: 'text' }])],
  ['messages[0].content[0].type', user([{ type: 'video' }])],
  ['messages[0].content[0].type', { messages: [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'https://a.example' } }] }] }],
  ['messages[0].content[0].image_url', user([{ type: 'image_url', image_url: 'https://a.example/cat.png' }])],
  ['messages[0].content[0].image_url.url', user([{ type: 'image_url', image_url: { url: 'http://169.254.169.254/latest' } }])],
  ['messages[0].content[0].image_url.url', user([{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }])],
  ['messages[0].content[0].image_url.url', user([{ type: 'image_url', image_url: { url: 'data:text/html;base64,PGI+' } }])],
  ['messages[0].content[0].image_url.url', user([{ type: 'image_url', image_url: { url: 'data:image/png;base64,not base64!' } }])],
  ['messages[0].content[0].image_url.url', user([{ type: 'image_url', image_url: { url: 'data:image/png,raw' } }])],
  ['messages[0].content[0].file.file_id', user([{ type: 'file', file: { file_id: 'file-1' } }])],
  ['messages[0].content[0].input_audio.format', user([{ type: 'input_audio', input_audio: { data: 'AA==', format: 'ogg' } }])],
  ['messages[0].name', { messages: [{ role: 'user', content: 'x', name: 1 }] }],
  ['messages[0].tool_calls[0].function.arguments', { messages: [{ role: 'assistant', tool_calls: [{ ...call, function: { name: 'f', arguments: {} } }] }] }],
  ['messages[0].tool_calls[0].type', { messages: [{ role: 'assistant', tool_calls: [{ ...call, type: 'custom' }] }] }],
  ['messages[0].tool_call_id', { messages: [{ role: 'tool', tool_call_id: 'nobody', content: 'x' }] }],
  ['messages[0].tool_call_id', { messages: [{ role: 'tool', content: 'x' }] }],
  ['temperature', { temperature: 'hot' }],
  ['temperature', { temperature: 2.1 }],
  ['top_p', { top_p: -1 }],
  ['max_tokens', { max_tokens: 0 }],
  ['max_tokens', { max_tokens: 1.5 }],
  ['max_tokens', { max_tokens: 'many', max_completion_tokens: 5 }],
  ['seed', { seed: 0.5 }],
  ['presence_penalty', { presence_penalty: 3 }],
  ['frequency_penalty', { frequency_penalty: [] }],
  ['stop', { stop: 1 }],
  ['stop[1]', { stop: ['a', null] }],
  ['reasoning_effort', { reasoning_effort: 'enormous' }],
  ['response_format.type', { response_format: { type: 'xml' } }],
  ['response_format.json_schema', { response_format: { type: 'json_schema' } }],
  ['stream', { stream: 'yes' }],
  ['stream_options', { stream: true, stream_options: true }],
  ['stream_options.include_usage', { stream: true, stream_options: { include_usage: 1 } }],
  ['user', { user: 7 }],
  ['user', { user: 'x'.repeat(300) }],
  ['user', { user: 'line\nbreak' }],
  ['n', { n: 2 }],
  ['functions', { functions: [{ name: 'f' }] }],
  ['tools', { tools: {} }],
  ['tools[0].type', { tools: [{ type: 'custom' }] }],
  ['tools[0].function.name', { tools: [{ type: 'function', function: { name: 'two words' } }] }],
  ['tools[1].function.name', { tools: [{ type: 'function', function: { name: 'f' } }, { type: 'function', function: { name: 'f' } }] }],
  ['tool_choice', { tool_choice: 'sometimes' }],
  ['tool_choice.function.name', { tool_choice: { type: 'function', function: {} } }],
  ['metadata.app', { metadata: { app: 1 } }],
]

for (const [param, body] of WRONG) {
  test(`${JSON.stringify(body).slice(0, 100)} is refused by the name of ${param}`, async () => {
    const refused = await refusal(completion(body).body)
    assert.deepEqual([refused.code, refused.param], ['invalid_request', param])
    assert.ok(refused.message.startsWith(`${param} `), refused.message)
  })
}

for (const body of [undefined, null]) {
  test(`a request with ${body === null ? 'null for a body' : 'no body'} is told so`, async () => {
    assert.match((await refusal(body)).message, /^Invalid request body/)
  })
}

test('a request without messages is told what is required', async () => {
  assert.equal((await refusal({ model: 'openclaw' })).message, 'messages is required')
})

test('any JSON whatever is params or a refusal, never a throw', async () => {
  const json = fc.jsonValue() as fc.Arbitrary<Json>
  const oneOf = (...values: readonly Json[]) => fc.oneof(json, fc.constantFrom(...values))
  const part = fc.record({ type: oneOf('text', 'image_url', 'file', 'input_audio', 'refusal'), text: json, image_url: fc.oneof(json, fc.record({ url: json })), file: json, input_audio: json }, { requiredKeys: [] })
  const message = fc.record({
    role: oneOf('system', 'developer', 'user', 'assistant', 'tool'), content: fc.oneof(json, fc.array(part)), tool_calls: fc.oneof(json, fc.array(fc.oneof(json, fc.constant(call)))),
    tool_call_id: oneOf('c'), name: json,
  }, { requiredKeys: [] })
  const body = fc.record({
    model: oneOf('openclaw'), messages: fc.oneof(json, fc.array(message)), stream: oneOf(true), stream_options: json, stop: json, tools: json, tool_choice: json,
    response_format: json, metadata: json, user: json, n: json, temperature: json, reasoning_effort: oneOf('__proto__', 'low'),
  }, { requiredKeys: [] })
  await fc.assert(fc.asyncProperty(fc.oneof(json, body), async (given) => {
    const asked = await decoded({ verb: 'POST', path: '/v1/chat/completions', body: given })
    assert.ok('params' in asked || asked.refuse.code === 'invalid_request')
  }), { numRuns: 1_000 })
})

test('fields this gateway does not know are passed over', async () => {
  assert.deepEqual(await params({ store: true, service_tier: 'auto', logit_bias: {}, x_vendor: [1] }), await params({}))
})

test('null means absent', async () => {
  const nothing = { temperature: null, stop: null, tools: null, tool_choice: null, user: null, n: null, stream: null, response_format: null, metadata: null }
  assert.deepEqual(await params(nothing), await params({}))
})

test('one user has one session with each agent, however the agent is named', async () => {
  const keyFor = async (model: string) => (await params({ model, user: 'anna' }))['sessionKey']
  assert.deepEqual(await Promise.all(['gpt-4', 'openclaw', 'isopod', 'isopod/offline'].map(keyFor)), Array(4).fill('openai:default:anna'))
  assert.deepEqual(await Promise.all(['openclaw/work', 'isopod/work', 'agent:work'].map(keyFor)), Array(3).fill('openai:work:anna'))
})

test('without a user no session is named', async () => {
  assert.equal((await params({}))['sessionKey'], undefined)
})

test('effort becomes thinking, and none is none', async () => {
  const thinking = ['minimal', 'low', 'medium', 'high', 'xhigh', 'none'].map(async (effort) => (await params({ reasoning_effort: effort }))['sampling'])
  assert.deepEqual(await Promise.all(thinking), [{ thinking: 'low' }, { thinking: 'low' }, { thinking: 'medium' }, { thinking: 'high' }, { thinking: 'high' }, undefined])
})

test('an id that a model used twice means its last call', async () => {
  const asked = (name: string) => ({ role: 'assistant', tool_calls: [{ ...call, function: { name, arguments: '{}' } }] })
  const result = { role: 'tool', tool_call_id: 'c', content: 'x' }
  const { messages } = await params({ messages: [asked('first'), result, asked('second'), result] }) as unknown as { messages: { parts: { name: string }[] }[] }
  assert.deepEqual([messages[1]?.parts[0]?.name, messages[3]?.parts[0]?.name], ['first', 'second'])
})

/** Good JSON, too deep to be written again by every reader of it. */
const DEEP = `${'['.repeat(33)}${']'.repeat(33)}`

for (const [given, args] of [['', {}], ['{"a":', '{"a":'], ['[1]', [1]], ['7', '7'], ['['.repeat(100_000), '['.repeat(100_000)], [DEEP, DEEP]] as const) {
  test(`a model's arguments are kept, well written or not: ${JSON.stringify(given.slice(0, 10))}`, async () => {
    const { messages } = await params({ messages: [{ role: 'assistant', tool_calls: [{ ...call, function: { name: 'f', arguments: given } }] }] }) as unknown as { messages: { parts: { args: Json }[] }[] }
    assert.deepEqual(messages[0]?.parts[0]?.args, args)
  })
}
