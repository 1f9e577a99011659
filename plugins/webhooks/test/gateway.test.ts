/** Webhooks through a gateway with the offline model, which echoes what it was shown, and a channel that keeps what it is given. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { TestClock, testGateway, type TestClient, type TestGateway } from '@isopod/testing'
import { verifies } from '../../../test/requirements.ts'

verifies('004:hooks:enabled', '004:hooks:path', '004:hooks:agent:deliver', '004:hooks:agent:timeout')
verifies('000:hooks', '004:hooks:auth', '004:hooks:wake', '004:hooks:agent', '004:hooks:limit', '004:hooks:mappings')

const TOKEN = 'your-hook-token'
const PIGEONS = new URL('../../../fixtures/plugins/pigeons/', import.meta.url)
const PLUGINS = ['webhooks', 'channels', 'chat', 'models', 'sessions', 'tools', PIGEONS]

/** Seed 004's mapping, word for word. */
const GITHUB = { path: 'github', action: { kind: 'agent', message: '{{ payload.commits[0].message }}', channel: 'discord', to: '#dev-notifications' } }

async function opened(t: TestContext, hooks: JsonObject = {}, clock?: TestClock): Promise<TestGateway> {
  const config = { hooks: { enabled: true, token: TOKEN, ...hooks } }
  const gateway = await testGateway({ plugins: PLUGINS, config, ...(clock && { clock }) })
  t.after(() => gateway.close())
  return gateway
}

function post(gateway: TestGateway, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return gateway.fetch(path, { method: 'POST', body: text, headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers } })
}

/** What became of a hook's run, once it is over. */
async function ended(client: TestClient, runId: string): Promise<JsonObject> {
  for (;;) {
    const { runs } = (await client.call('hook.runs')) as { runs: JsonObject[] }
    const run = runs.find((one) => one['runId'] === runId)
    if (run?.['endedAt'] !== undefined) return run
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function begun(reply: Response): Promise<string> {
  assert.equal(reply.status, 200)
  const body = (await reply.json()) as { ok: boolean; runId: string }
  assert.deepEqual(Object.keys(body), ['ok', 'runId'])
  assert.equal(body.ok, true)
  return body.runId
}

test('the seed\'s agent hook, as it stands, is answered with a run whose answer is not deliverable and says so', async (t) => {
  const gateway = await opened(t)
  const body = {
    message: 'User message', agentId: 'default', sessionKey: 'hook:session-123', name: 'Webhook User', deliver: true,
    channel: 'signal', to: '+1234567890', model: 'gpt-4', thinking: 'high', wakeMode: 'now', timeoutSeconds: 300,
  }
  const client = gateway.client()
  const run = await ended(client, await begun(await post(gateway, '/hooks/agent', body)))
  assert.deepEqual(run['delivery'], { channel: 'signal', to: '+1234567890', error: { code: 'unavailable', message: 'Signal has no account here' } })
  const { messages, channel } = (await client.call('session.get', { sessionKey: 'hook:session-123' })) as { messages: JsonObject[]; channel: string }
  assert.equal(channel, 'hook')
  assert.deepEqual(messages.map(({ role }) => role), ['user', 'assistant'])
  assert.equal(messages[0]?.['content'], 'User message')
})

test('the answer of an agent hook is delivered through its channel', async (t) => {
  const gateway = await opened(t)
  const client = gateway.client()
  const runId = await begun(await post(gateway, '/hooks/agent', { message: 'ping', channel: 'discord', to: '#general' }))
  const run = await ended(client, runId)
  assert.deepEqual(run['delivery'], { channel: 'discord', to: '#general', ids: ['pigeon-1'] })
  const { messages } = (await client.call('pigeon.delivered')) as { messages: { to: string; text: string }[] }
  assert.equal(messages[0]?.to, '#general')
  assert.match(messages[0]?.text ?? '', /ping/)
})

test('with deliver: false nothing leaves', async (t) => {
  const gateway = await opened(t)
  const client = gateway.client()
  const run = await ended(client, await begun(await post(gateway, '/hooks/agent', { message: 'x', deliver: false, channel: 'discord', to: '#general' })))
  assert.equal(run['delivery'], undefined)
  assert.deepEqual(await client.call('pigeon.delivered'), { messages: [] })
})

test('a wake-up begins a run now, or waits for the next heartbeat', async (t) => {
  const gateway = await opened(t)
  const now = await post(gateway, '/hooks/wake', { text: 'Wake up message', mode: 'now' })
  const woken = (await now.json()) as JsonObject
  assert.deepEqual({ ...woken, runId: typeof woken['runId'] }, { ok: true, mode: 'now', runId: 'string' })
  const later = await post(gateway, '/hooks/wake', { text: 'Wake up message', mode: 'next-heartbeat' })
  assert.deepEqual(await later.json(), { ok: true, mode: 'next-heartbeat' })
  await ended(gateway.client(), woken['runId'] as string)
})

test('the token is taken as a bearer and in its own header, and the gateway\'s token is none here', async (t) => {
  const gateway = await opened(t)
  const wake = (headers: Record<string, string>) => post(gateway, '/hooks/wake', { text: 'x', mode: 'next-heartbeat' }, headers).then(({ status }) => status)
  assert.equal(await wake({}), 200)
  assert.equal(await wake({ authorization: '', 'x-openclaw-token': TOKEN }), 200)
  assert.equal(await wake({ authorization: '' }), 401)
  assert.equal(await wake({ authorization: 'Bearer wrong' }), 401)
  assert.equal(await wake({ authorization: `Bearer ${gateway.token}` }), 401)
  assert.equal(await wake({ authorization: `Basic ${Buffer.from(`u:${TOKEN}`).toString('base64')}` }), 401)
  assert.equal((await gateway.fetch(`/hooks/wake?token=${TOKEN}`, { method: 'POST', body: '{"text":"x"}', headers: { authorization: '' } })).status, 401)
})

test('a stranger learns of no hook, and hooks that are off are not there', async (t) => {
  const gateway = await opened(t, { mappings: [GITHUB] })
  for (const path of ['/hooks/github', '/hooks/none', '/hooks/wake']) {
    const reply = await post(gateway, path, {}, { authorization: 'Bearer wrong' })
    assert.deepEqual([reply.status, await reply.json()], [401, { ok: false, error: { message: 'Unauthorized', type: 'authentication_error', code: 'unauthorized' } }])
  }
  const unknown = await post(gateway, '/hooks/none', {})
  assert.deepEqual([unknown.status, ((await unknown.json()) as { error: JsonObject }).error['message']], [404, 'There is no hook "none"'])
  const off = await opened(t, { enabled: false })
  assert.equal((await post(off, '/hooks/wake', { text: 'x' })).status, 404)
})

test('hooks without a token let nobody in', async (t) => {
  const gateway = await testGateway({ plugins: PLUGINS, config: { hooks: { enabled: true } } })
  t.after(() => gateway.close())
  assert.equal((await post(gateway, '/hooks/wake', { text: 'x' })).status, 401)
})

test('a body of 262,144 bytes is taken, and one byte more is refused', async (t) => {
  const gateway = await opened(t)
  const bytes = (count: number) => { const [head, tail] = ['{"text":"', '","mode":"next-heartbeat"}']; return `${head}${'x'.repeat(count - head.length - tail.length)}${tail}` }
  const small = await opened(t, { maxBodyBytes: 100 })
  assert.equal((await post(small, '/hooks/wake', bytes(100))).status, 200)
  const refused = await post(small, '/hooks/wake', bytes(101))
  assert.equal(refused.status, 413)
  // What is too long for a wake-up is still within the bound of bodies.
  assert.equal((await post(gateway, '/hooks/wake', bytes(262_144))).status, 400)
  assert.equal((await post(gateway, '/hooks/wake', bytes(262_145))).status, 413)
})

for (const [what, body, message] of [
  ['no JSON', '{"message":', /^Invalid request body/],
  ['no object', '[1]', /^Invalid request body/],
  ['nothing', '', /^Invalid request body/],
  ['no message', '{}', /message/],
  ['an unknown field', '{"message":"x","mesage":"y"}', /mesage/],
  ['a session outside hook:', '{"message":"x","sessionKey":"main"}', /allowRequestSessionKey/],
  ['an agent that is not there', '{"message":"x","agentId":"nobody"}', /nobody/],
] as const) {
  test(`an agent hook with ${what} is refused, and says what was wrong`, async (t) => {
    const gateway = await opened(t)
    const reply = await post(gateway, '/hooks/agent', body)
    assert.ok(reply.status === 400 || reply.status === 404)
    assert.match(((await reply.json()) as { error: { message: string } }).error.message, message)
  })
}

test('with allowRequestSessionKey a hook may name any session', async (t) => {
  const gateway = await opened(t, { allowRequestSessionKey: true })
  await ended(gateway.client(), await begun(await post(gateway, '/hooks/agent', { message: 'x', sessionKey: 'main' })))
})

test('the seed\'s mapping makes a payload a message, which the model is shown as data, and delivers the answer', async (t) => {
  const gateway = await opened(t, { mappings: [GITHUB] })
  const client = gateway.client()
  const run = await ended(client, await begun(await post(gateway, '/hooks/github', { commits: [{ message: 'feat: add a' }] })))
  assert.deepEqual(run['delivery'], { channel: 'discord', to: '#dev-notifications', ids: ['pigeon-1'] })
  const { messages } = (await client.call('session.get', { sessionKey: run['sessionKey'] as string })) as { messages: JsonObject[] }
  assert.equal(messages[0]?.['content'], 'feat: add a')
  assert.match(String(messages[1]?.['content']), /<<<UNTRUSTED webhook github>>>\s+feat: add a\s+<<<END UNTRUSTED>>>/)
})

test('both shapes of a mapping mean the same, and templates reach into payload, headers and query', async (t) => {
  const template = '{{ headers.x-github-event }} by {{ payload.pusher.name }} ({{ query.from }})'
  const gateway = await opened(t, {
    mappings: [
      { path: 'one', action: { kind: 'agent', message: template, sessionKey: 'hook:one:{{ payload.id }}' } },
      { match: { path: '/two/' }, action: 'agent', messageTemplate: template, sessionKey: 'hook:two:{{ payload.id }}' },
    ],
  })
  const client = gateway.client()
  for (const name of ['one', 'two']) {
    const reply = await post(gateway, `/hooks/${name}?from=ci`, { id: 7, pusher: { name: 'octocat' } }, { 'x-github-event': 'push' })
    await ended(client, await begun(reply))
    const { messages } = (await client.call('session.get', { sessionKey: `hook:${name}:7` })) as { messages: JsonObject[] }
    assert.equal(messages[0]?.['content'], 'push by octocat (ci)')
  }
})

test('a native mapping may ask for the source of a payload', async (t) => {
  const gateway = await opened(t, { mappings: [{ match: { path: 'in', source: 'gmail' }, action: 'wake', textTemplate: 'Mail from {{ payload.from }}', wakeMode: 'next-heartbeat' }] })
  assert.deepEqual(await (await post(gateway, '/hooks/in', { source: 'gmail', from: 'x' })).json(), { ok: true, mode: 'next-heartbeat' })
  assert.equal((await post(gateway, '/hooks/in', { source: 'other', from: 'x' })).status, 404)
})

for (const [what, template, fits] of [
  ['an include', '{% include "/etc/passwd" %}', /tag "include" not found/],
  ['a render', '{% render "/etc/passwd" %}', /tag "render" not found/],
  ['a layout', '{% layout "x" %}', /tag "layout" not found/],
  ['the credential', 'x{{ headers.authorization }}', undefined],
  ['the constructor', 'x{{ payload.constructor.name }}{{ payload.__proto__ }}', undefined],
  ['a loop without an end', '{% for i in (1..100000000) %}x{% endfor %}', /limit/],
  ['half a tag', '{{ payload.', /not closed/],
] as const) {
  test(`a template cannot do harm with ${what}`, async (t) => {
    const gateway = await opened(t, { mappings: [{ path: 'x', action: { kind: 'agent', message: template, sessionKey: 'hook:x' } }] })
    const reply = await post(gateway, '/hooks/x', {})
    if (fits) {
      assert.equal(reply.status, 400)
      assert.match(((await reply.json()) as { error: { message: string } }).error.message, fits)
      return
    }
    const client = gateway.client()
    await ended(client, await begun(reply))
    const { messages } = (await client.call('session.get', { sessionKey: 'hook:x' })) as { messages: JsonObject[] }
    assert.equal(messages[0]?.['content'], 'x')
  })
}

test('a payload that has nothing of what the template wants begins no run', async (t) => {
  const gateway = await opened(t, { mappings: [GITHUB] })
  assert.equal((await post(gateway, '/hooks/github', { zen: 'ping of a new hook' })).status, 400)
})

test('a delivery under a key is carried out once, also when it comes twice at a time, and another body is told', async (t) => {
  const gateway = await opened(t)
  const send = (message: string) => post(gateway, '/hooks/agent', { message }, { 'idempotency-key': 'k1' })
  const both = await Promise.all([send('x'), send('x')])
  const [first, ...others] = both.filter(({ status }) => status === 200)
  assert.ok(first)
  const runId = await begun(first)
  for (const other of others) assert.equal(await begun(other), runId)
  for (const late of both.filter(({ status }) => status !== 200)) assert.deepEqual([late.status, late.headers.get('retry-after')], [409, '1'])
  assert.equal(await begun(await send('x')), runId)
  assert.equal((await send('y')).status, 409)
  const { runs } = (await gateway.client().call('hook.runs')) as { runs: JsonObject[] }
  assert.equal(runs.length, 1)
  await ended(gateway.client(), runId)
})

test('a run that takes longer than timeoutSeconds fails, and is kept as that', async (t) => {
  const clock = new TestClock()
  const gateway = await opened(t, {}, clock)
  const client = gateway.client()
  const runId = await begun(await post(gateway, '/hooks/agent', { message: '/slow 60000\nword by word', timeoutSeconds: 2 }))
  await clock.advance(5_000)
  const run = await ended(client, runId)
  assert.equal((run['error'] as JsonObject)['code'], 'timeout')
})

const SECRET = 'It\'s a Secret to Everybody'
const mac = (text: string, secret = SECRET) => createHmac('sha256', secret).update(text).digest('hex')
const NOW = 1_700_000_000
const BODY = '{"text":"Hello, World!"}'
const KEY = Buffer.from('a standard webhooks key').toString('base64')

for (const [scheme, options, headers] of [
  ['github', {}, { 'x-hub-signature-256': `sha256=${mac(BODY)}` }],
  ['stripe', {}, { 'stripe-signature': `t=${NOW},v1=${mac(`${NOW}.${BODY}`)},v0=x` }],
  ['slack', {}, { 'x-slack-request-timestamp': String(NOW), 'x-slack-signature': `v0=${mac(`v0:${NOW}:${BODY}`)}` }],
  ['standard', { secret: `whsec_${KEY}` }, { 'webhook-id': 'm1', 'webhook-timestamp': String(NOW), 'webhook-signature': `v1,x v1,${createHmac('sha256', Buffer.from(KEY, 'base64')).update(`m1.${NOW}.${BODY}`).digest('base64')}` }],
  ['hmac', { header: 'X-Sign', prefix: 'v=', algorithm: 'sha512', encoding: 'base64' }, { 'x-sign': `v=${createHmac('sha512', SECRET).update(BODY).digest('base64')}` }],
] as const) {
  const mapping = { path: 'signed', action: { kind: 'wake', message: '{{ payload.text }}', mode: 'next-heartbeat' }, signature: { scheme, secret: SECRET, ...options } }
  const send = (gateway: TestGateway, body: string, shown: Record<string, string>) =>
    gateway.fetch('/hooks/signed', { method: 'POST', body, headers: { authorization: '', 'content-type': 'application/json', ...shown } }).then(({ status }) => status)

  test(`a delivery signed as ${scheme} signs is let in without a token, and nothing else is`, async (t) => {
    const gateway = await opened(t, { mappings: [mapping] }, new TestClock(NOW * 1000))
    assert.equal(await send(gateway, BODY, headers), 200)
    assert.equal(await send(gateway, `${BODY} `, headers), 401)
    assert.equal(await send(gateway, BODY, {}), 401)
    // The token of all hooks does not stand in for the signature.
    assert.equal(await send(gateway, BODY, { authorization: `Bearer ${TOKEN}` }), 401)
  })

  if (scheme === 'github' || scheme === 'hmac') continue
  test(`a delivery signed as ${scheme} signs is refused when it is old`, async (t) => {
    const gateway = await opened(t, { mappings: [mapping] }, new TestClock((NOW + 301) * 1000))
    assert.equal(await send(gateway, BODY, headers), 401)
  })

  test(`a delivery signed as ${scheme} signs is carried out once, whatever it is called when it is played again`, async (t) => {
    const gateway = await opened(t, { mappings: [{ ...mapping, action: { kind: 'agent', message: '{{ payload.text }}' } }] }, new TestClock(NOW * 1000))
    const play = (name: object) => post(gateway, '/hooks/signed', BODY, { authorization: '', ...headers, ...name }).then(begun)
    const first = await play({})
    assert.equal(await play({}), first)
    assert.equal(await play({ 'idempotency-key': 'another' }), first)
    await ended(gateway.client(), first)
  })
}

test('what GitHub posts as a form is read, and delivered again it begins no second run', async (t) => {
  const gateway = await opened(t, { mappings: [{ ...GITHUB, signature: { scheme: 'github', secret: SECRET } }] })
  const body = new URLSearchParams({ payload: JSON.stringify({ commits: [{ message: 'fix: ü & more' }] }) }).toString()
  const headers = { authorization: '', 'content-type': 'application/x-www-form-urlencoded', 'x-hub-signature-256': `sha256=${mac(body)}`, 'x-github-delivery': 'd-1' }
  const first = await begun(await post(gateway, '/hooks/github', body, headers))
  assert.equal(await begun(await post(gateway, '/hooks/github', body, headers)), first)
  const run = await ended(gateway.client(), first)
  const { messages } = (await gateway.client().call('session.get', { sessionKey: run['sessionKey'] as string })) as { messages: JsonObject[] }
  assert.equal(messages[0]?.['content'], 'fix: ü & more')
})

test('hooks live where hooks.path says', async (t) => {
  const gateway = await opened(t, { path: '/in/coming' })
  assert.equal((await post(gateway, '/in/coming/wake', { text: 'x', mode: 'next-heartbeat' })).status, 200)
  assert.equal((await post(gateway, '/hooks/wake', { text: 'x' }, { authorization: `Bearer ${gateway.token}` })).status, 404)
})

test('a mapping without a message is told to who may call it, spoils no list, and is nothing to a stranger', async (t) => {
  const gateway = await opened(t, { mappings: [{ path: 'mute', action: 'agent' }] })
  assert.equal((await post(gateway, '/hooks/mute', {}, { authorization: '' })).status, 401)
  const told = await post(gateway, '/hooks/mute', {})
  assert.deepEqual([told.status, /mapping mute says nothing/.test(await told.text())], [503, true])
  const { hooks } = (await gateway.client().call('hook.list')) as { hooks: JsonObject[] }
  assert.deepEqual(hooks.map(({ path }) => path), ['wake', 'agent', 'mute'])
})

test('the hooks there are can be listed, without their secrets', async (t) => {
  const gateway = await opened(t, { mappings: [{ ...GITHUB, signature: { secret: SECRET } }] })
  const listed = await gateway.client().call('hook.list')
  assert.deepEqual(listed, {
    enabled: true,
    hooks: [
      { path: 'wake', kind: 'wake', signed: false },
      { path: 'agent', kind: 'agent', signed: false },
      { path: 'github', kind: 'agent', signed: true },
    ],
  })
})
