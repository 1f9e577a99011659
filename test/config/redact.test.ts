import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redact } from '../../kernel/config/redact.ts'
import { makeHome, openIn } from './home.ts'

const FILE = `gateway:
  auth: { token: tok-literal, password: "\${PASSWORD}" }
models:
  providers:
    a: { api: openai, apiKey: sk-literal, headers: { x-key: hdr-literal, authorization: "Bearer \${KEY}" } }
    b: { api: openai, apiKey: "\${MISSING}" }
    c: { api: openai, apiKey: { secret: store-name } }
    d: { api: openai-compatible, baseUrl: "https://me:url-literal@host/v1?key=query-literal" }
    e: { api: openai, apiKey: "\${MISSING:-default-literal}" }
plugins:
  weather: { config: { apiKey: plugin-literal, city: Bern, count: 3, password: 12345 } }
hooks: { token: hook-literal }
gatewai: { tokn: misspelt-literal, note: 5 }
`
const LIVE = ['tok-literal', 'env-password', 'sk-literal', 'hdr-literal', 'env-key', 'default-literal', 'plugin-literal', 'hook-literal']
const env = { PASSWORD: 'env-password', KEY: 'env-key' }

test('of the signature of a hook the secret is hidden, and not who signs', async (t) => {
  const file = 'hooks:\n  mappings:\n    - { path: github, signature: { scheme: github, secret: signing-literal, secrt: misspelt-literal } }\n'
  const { config, log } = await openIn(t, await makeHome(t, { 'gateway.yaml': file }))
  const { mappings } = (config.shown() as { hooks: { mappings: readonly { signature: unknown }[] } }).hooks
  assert.deepEqual(mappings[0]?.signature, { scheme: 'github', secret: '<redacted>', secrt: '<redacted>' })
  log.info('signing-literal')
  assert.equal(log.recent().entries.at(-1)?.message, '<redacted>')
})

test('a shown config holds no secret, and references as they stand in the file', async (t) => {
  const { config } = await openIn(t, await makeHome(t, { 'gateway.yaml': FILE }), { env })
  const text = JSON.stringify(config.shown())
  for (const secret of [...LIVE, 'url-literal', 'query-literal', 'misspelt-literal']) assert.ok(!text.includes(secret), secret)
  const { gateway, models, plugins } = config.shown() as { [section: string]: { [key: string]: unknown } }
  assert.deepEqual(gateway?.['auth'], { enabled: true, token: '<redacted>', password: '${PASSWORD}' })
  assert.deepEqual(models?.['providers'], {
    a: { api: 'openai', apiKey: '<redacted>', headers: { 'x-key': '<redacted>', authorization: 'Bearer ${KEY}' } },
    b: { api: 'openai', apiKey: '${MISSING}' },
    c: { api: 'openai', apiKey: { secret: 'store-name' } },
    d: { api: 'openai-compatible', baseUrl: 'https://<redacted>@host/v1?key=<redacted>' },
    e: { api: 'openai', apiKey: '${MISSING:-<redacted>}' },
  })
  assert.deepEqual(plugins?.['weather'], { enabled: true, config: { apiKey: '<redacted>', city: '<redacted>', count: 3, password: '<redacted>' } })
})

test('a plugin\'s own schema says what of its settings may be shown', async (t) => {
  const { config } = await openIn(t, await makeHome(t, { 'gateway.yaml': FILE }), { env })
  const weather = { type: 'object', properties: { apiKey: { type: 'string', secret: true }, city: { type: 'string' } } }
  const { plugins } = config.shown({ weather }) as { plugins: { weather: { config: unknown } } }
  assert.deepEqual(plugins.weather.config, { apiKey: '<redacted>', city: 'Bern', count: 3, password: '<redacted>' })
  assert.deepEqual(redact({ apiKey: 'x', city: 'Bern', keys: ['y'] }, { ...weather, properties: { ...weather.properties, keys: { type: 'array', items: { secret: true } } } }), {
    apiKey: '<redacted>',
    city: 'Bern',
    keys: ['<redacted>'],
  })
})

test('a secret of the config appears in no line of the log', async (t) => {
  const { log } = await openIn(t, await makeHome(t, { 'gateway.yaml': FILE }), { env })
  for (const secret of LIVE) log.info(`look at ${secret}`, { it: { is: [secret] }, error: new Error(`bad ${secret}`) })
  const text = JSON.stringify(log.recent({ limit: 1_000 }))
  for (const secret of LIVE) assert.ok(!text.includes(secret), secret)
})

test('a token that came with the environment is hidden too', async (t) => {
  const { log, config } = await openIn(t, await makeHome(t), { env: { ISOPOD_TOKEN: 'env-token-1' } })
  log.info('env-token-1')
  assert.equal(log.recent().entries.at(-1)?.message, '<redacted>')
  assert.deepEqual((config.shown() as { gateway: { auth: unknown } }).gateway.auth, { enabled: true, token: '<redacted>' })
})
