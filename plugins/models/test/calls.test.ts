/** Tool calls as servers that imitate OpenAI's chat completions are known to stream them, through both APIs that speak it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { serving, streaming } from './raw-provider.ts'
import { heard, refusal, SmallGateway, user } from './small-gateway.ts'

const called = (name: string, args?: string): JsonObject => ({ name, ...(args !== undefined && { arguments: args }) })
const more = (args: string): JsonObject => ({ arguments: args })
const TWICE = [['add', { a: 1 }], ['add', { a: 2 }]] as const
const ONCE = [['add', { a: 1 }]] as const

type Calls = readonly (readonly [name: string, args: object])[]

const STREAMS: Record<string, readonly [pieces: readonly JsonObject[], calls: Calls]> = {
  'numbered, in pieces that take turns': [[
    { index: 0, id: 'a', function: called('add', '') }, { index: 1, id: 'b', function: called('add', '') },
    { index: 0, function: more('{"a"') }, { index: 1, function: more('{"a":') }, { index: 0, function: more(':1}') }, { index: 1, function: more('2}') },
  ], TWICE],
  'all numbered 0, each with an id': [[{ index: 0, id: 'a', function: called('add', '{"a":1}') }, { index: 0, id: 'b', function: called('add', '{"a":2}') }], TWICE],
  'all numbered 0, without ids': [[{ index: 0, function: called('add', '{"a":1}') }, { index: 0, function: called('add', '{"a":2}') }], TWICE],
  'numbered, all with the same id': [[{ index: 0, id: 'a', function: called('add', '{"a":1}') }, { index: 1, id: 'a', function: called('add', '{"a":2}') }], TWICE],
  'without numbers': [[{ id: 'a', function: called('add', '{"a"') }, { id: 'a', function: more(':1}') }, { id: 'b', function: called('add', '{"a":2}') }], TWICE],
  'without numbers or ids': [[{ function: called('add') }, { function: more('{"a":1}') }, { function: called('add', '{"a":2}') }], TWICE],
  'with the name in every piece': [[{ index: 0, id: 'a', function: called('add', '{"a"') }, { index: 0, id: 'a', function: called('add', ':1}') }, { index: 0, id: 'a', function: called('add', '') }], ONCE],
  'with the name after the arguments have begun': [[{ index: 0, id: 'a', function: more('{"a"') }, { index: 0, function: called('add', ':1}') }], ONCE],
  'with nulls where nothing is': [[{ index: 0, id: 'a', function: called('add', '{') }, { index: 0, id: null, function: { name: null, arguments: '"a":1}' } }, { index: 0, id: null, function: null }], ONCE],
}

function stream(pieces: readonly JsonObject[]): Buffer {
  const frames = [...pieces.map((piece) => ({ delta: { tool_calls: [piece] } })), { delta: {}, finish_reason: 'tool_calls' }]
  return Buffer.from(frames.map((choice) => `data: ${JSON.stringify({ choices: [choice] })}\n\n`).join(''))
}

for (const api of ['openai', 'openai-compatible'] as const) {
  describe(`${api}: calls are told apart that come`, () => {
    for (const [how, [pieces, calls]] of Object.entries(STREAMS)) {
      test(how, async () => {
        const told = await serving(streaming(stream(pieces)), (baseUrl) => heard(asking(api, baseUrl)))
        assert.deepEqual(told.calls.map(({ name, args }) => [name, args]), calls)
        assert.equal(told.finish?.reason, 'tool_calls')
      })
    }
  })
}

describe('an answer is refused, and none of its calls made, where', () => {
  const BAD: Record<string, JsonObject> = {
    'a call has no name': { tool_calls: [{ index: 0, function: more('{}') }] },
    'arguments are no text': { tool_calls: [{ index: 0, id: 'a', function: { name: 'add', arguments: {} } }] },
    'a call is nothing': { tool_calls: [null] },
    'calls are no list': { tool_calls: 7 },
    'content is no text': { content: 7 },
  }
  for (const [what, delta] of Object.entries(BAD)) {
    test(what, async () => {
      const bytes = Buffer.from([{ delta: { content: 'Hi' } }, { delta }, { delta: {}, finish_reason: 'stop' }].map((choice) => `data: ${JSON.stringify({ choices: [choice] })}\n\n`).join(''))
      const { error, text } = await serving(streaming(bytes), (baseUrl) => refusal(asking('openai-compatible', baseUrl)))
      assert.deepEqual([text, error.code, error.retryable], ['Hi', 'unavailable', false])
      assert.match(error.message, /^p answered with something else/)
    })
  }
})

test('content in parts is text and thinking, and a refusal is text that ends as filtered', async () => {
  const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }
  const choices = [{ delta: { reasoning_content: 'Well.' } }, { delta: { content: [thinking, { type: 'text', text: 'I' }, { type: 'other' }] } }, { delta: { refusal: ' must not' } }, { delta: {}, finish_reason: 'stop' }]
  const bytes = Buffer.from(choices.map((choice) => `data: ${JSON.stringify({ choices: [choice] })}\n\n`).join(''))
  const told = await serving(streaming(bytes), (baseUrl) => heard(asking('openai-compatible', baseUrl)))
  assert.deepEqual([told.thinking, told.text, told.finish?.reason], ['Well.Hm.', 'I must not', 'content_filter'])
})

function asking(api: string, baseUrl: string) {
  return new SmallGateway({ config: { providers: { p: { api, baseUrl } } } }).ask('p/m', { messages: [user('hello')], tools: [{ name: 'add', params: {} }] })
}
