/** The official client of the API that everybody speaks, against a gateway as it starts without any config. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import OpenAI from 'openai'
import { verifies } from '../requirements.ts'
import { startGateway, type StartedGateway } from './started.ts'

const WEATHER = {
  type: 'function',
  function: { name: 'get_weather', description: 'The weather somewhere', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
} as const

describe('the openai client', () => {
  let gateway: StartedGateway
  let client: OpenAI

  before(async () => {
    gateway = await startGateway()
    client = new OpenAI({ apiKey: gateway.token, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
  })
  after(() => gateway.remove())

  it('gets a text with real usage, under the model it asked for', async () => {
    verifies('002:completions', '002:completions:sdk', '004:completions:id', '004:completions:model', '004:completions:object')
    const completion = await client.chat.completions.create({ model: 'openclaw', messages: [{ role: 'user', content: 'Hello there' }] })
    assert.match(completion.id, /^chatcmpl_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.equal(completion.object, 'chat.completion')
    assert.equal(completion.model, 'openclaw')
    assert.match(completion.choices[0]?.message.content ?? '', /Hello there/)
    assert.equal(completion.choices[0]?.finish_reason, 'stop')
    const { prompt_tokens, completion_tokens, total_tokens } = completion.usage ?? { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
    assert.ok(prompt_tokens > 0 && completion_tokens > 0)
    assert.equal(total_tokens, prompt_tokens + completion_tokens)
  })

  it('streams the same text, with usage where it asks for it', async () => {
    const messages = [{ role: 'user', content: 'Say this again' }] as const
    const whole = await client.chat.completions.create({ model: 'gpt-4', messages: [...messages] })
    const stream = await client.chat.completions.create({ model: 'gpt-4', messages: [...messages], stream: true, stream_options: { include_usage: true } })
    let text = ''
    let usage: OpenAI.CompletionUsage | null | undefined
    let chunks = 0
    for await (const chunk of stream) {
      if (chunks === 0) assert.equal(chunk.choices[0]?.delta.role, 'assistant')
      chunks += 1
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage ?? usage
    }
    assert.ok(chunks > 4, `${chunks} chunks`)
    assert.equal(text, whole.choices[0]?.message.content)
    assert.deepEqual(usage, whole.usage)
  })

  it('has its own tool called, and goes on with the result', async () => {
    const ask: OpenAI.ChatCompletionMessageParam = { role: 'user', content: '/call get_weather {"city":"Oslo"}' }
    const first = await client.chat.completions.create({ model: 'openclaw', messages: [ask], tools: [WEATHER] })
    const choice = first.choices[0]
    assert.equal(choice?.finish_reason, 'tool_calls')
    const call = choice.message.tool_calls?.[0]
    assert.ok(call?.type === 'function')
    assert.equal(call.function.name, 'get_weather')
    assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Oslo' })

    const result: OpenAI.ChatCompletionMessageParam = { role: 'tool', tool_call_id: call.id, content: '{"celsius":7}' }
    const second = await client.chat.completions.create({ model: 'openclaw', messages: [ask, choice.message, result], tools: [WEATHER] })
    assert.equal(second.choices[0]?.finish_reason, 'stop')
    assert.match(second.choices[0]?.message.content ?? '', /celsius.*7/)
  })

  it('streams the call of its own tool', async () => {
    const stream = await client.chat.completions.create({ model: 'openclaw', stream: true, messages: [{ role: 'user', content: '/call get_weather {"city":"Rome"}' }], tools: [WEATHER] })
    let args = ''
    let reason: string | null | undefined
    for await (const chunk of stream) {
      args += chunk.choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? ''
      reason = chunk.choices[0]?.finish_reason ?? reason
    }
    assert.deepEqual(JSON.parse(args), { city: 'Rome' })
    assert.equal(reason, 'tool_calls')
  })

  it('remembers a user from request to request, and nobody without one', async () => {
    verifies('004:completions:user')
    const say = (content: string, user?: string) => client.chat.completions.create({ model: 'openclaw', messages: [{ role: 'user', content }], ...(user !== undefined && { user }) })
    await say('The password is swordfish', 'ada')
    await say('What did I say?', 'ada')
    await say('What did I say?')
    const socket = await gateway.socket()
    const { payload } = await socket.call('session.list')
    const sessions = (payload as { sessions: { sessionKey: string; messageCount: number }[] }).sessions
    assert.equal(sessions.find(({ sessionKey }) => sessionKey.includes('ada'))?.messageCount, 4)
    socket.close()
  })

  it('aborts the run by closing the connection', async () => {
    const stream = await client.chat.completions.create({ model: 'openclaw', stream: true, messages: [{ role: 'user', content: '/slow 50\none two three four five six seven eight nine ten eleven twelve' }] })
    let seen = 0
    for await (const _ of stream) {
      seen += 1
      if (seen === 3) stream.controller.abort()
    }
    const socket = await gateway.socket()
    const { payload } = await socket.call('session.list')
    const newest = (payload as { sessions: { sessionKey: string }[] }).sessions[0]?.sessionKey ?? ''
    // The turn is closed when the abort has arrived; the client's own end comes first.
    for (;;) {
      const { payload: session } = await socket.call('session.get', { sessionKey: newest })
      const { messages } = session as { messages: { role: string; content: string }[] }
      const answer = messages.find(({ role }) => role === 'assistant')
      if (!answer) continue
      assert.doesNotMatch(answer.content, /twelve/)
      break
    }
    socket.close()
  })

  it('lists models, finds one, and is told about one that is not there', async () => {
    verifies('002:models')
    const ids = []
    for await (const model of client.models.list()) ids.push(model.id)
    assert.ok(ids.includes('isopod/offline') && ids.includes('openclaw'), ids.join())
    assert.equal((await client.models.retrieve('isopod/offline')).owned_by, 'isopod')
    await assert.rejects(client.models.retrieve('nobody/nothing'), OpenAI.NotFoundError)
  })

  it('is told what is wrong with a request, by the field', async () => {
    verifies('004:error:400', '000:http:error', '002:error')
    const wrong = { model: 'openclaw', messages: [{ role: 'user', content: 7 }] } as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming
    await assert.rejects(client.chat.completions.create(wrong), (error: unknown) => {
      assert.ok(error instanceof OpenAI.BadRequestError)
      assert.equal(error.param, 'messages[0].content')
      assert.equal(error.type, 'invalid_request_error')
      return true
    })
  })

  it('is told that its key is wrong', async () => {
    const stranger = new OpenAI({ apiKey: 'not-the-token', baseURL: `${gateway.url}/v1`, maxRetries: 0 })
    await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError)
  })
})
