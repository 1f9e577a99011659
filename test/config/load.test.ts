import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { openConfig } from '../../kernel/config/config.ts'
import type { ConfigOptions } from '../../kernel/config/config.ts'
import { ConfigError, describeProblem } from '../../kernel/config/problem.ts'
import { DEFAULT_LIMITS } from '../../kernel/limits.ts'
import { verifies } from '../requirements.ts'
import { HandClock, makeHome, openIn, quietLog } from './home.ts'

/** What is wrong, one sentence a line, with the home's path left out. */
async function mistakesIn(t: TestContext, text: string, options: Partial<ConfigOptions> = {}, name = 'gateway.yaml'): Promise<string[]> {
  const home = await makeHome(t, { [name]: text })
  try {
    const { config } = await openIn(t, home, options)
    return config.problems.map((problem) => describeProblem(problem).replace(`${home}/`, ''))
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems.map((problem) => describeProblem(problem).replace(`${home}/`, ''))
  }
}

test('without a file everything has its default', async (t) => {
  verifies('000:port')
  const { config } = await openIn(t, await makeHome(t))
  assert.equal(config.current.gateway.port, 18_789)
  assert.equal(config.current.gateway.bind, 'loopback')
  assert.equal(config.current.gateway.auth.enabled, true)
  assert.equal(config.current.gateway.auth.token, undefined)
  assert.deepEqual(config.current.gateway.limits, DEFAULT_LIMITS)
  assert.deepEqual(config.current.plugins, {})
  assert.equal(config.current.hooks.maxBodyBytes, 262_144)
  assert.deepEqual(config.problems, [])
})

test('the first of the known names is read', async (t) => {
  verifies('003:config:file')
  const home = await makeHome(t, { 'gateway.json5': '{ gateway: { port: 5, }, /* a comment */ }' })
  const portOf = async () => (await openIn(t, home)).config.current.gateway.port
  assert.equal(await portOf(), 5)
  await writeFile(join(home, 'gateway.json'), '{\n\t"gateway": { "port": 4 }\n}')
  assert.equal(await portOf(), 4)
  await writeFile(join(home, 'config.yml'), 'gateway: { port: 3 }')
  assert.equal(await portOf(), 3)
  await writeFile(join(home, 'gateway.yml'), 'gateway: { port: 2 }')
  assert.equal(await portOf(), 2)
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 1 }')
  assert.equal(await portOf(), 1)
})

test('a file named by the owner is read instead, and must be there', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }', 'other.yaml': 'gateway: { port: 2 }' })
  assert.equal((await openIn(t, home, { file: join(home, 'other.yaml') })).config.current.gateway.port, 2)
  const missing = openConfig({ home, file: join(home, 'none.yaml'), env: {}, clock: new HandClock(), log: quietLog() })
  await assert.rejects(missing, /none\.yaml: This file does not exist/)
})

test('the example of the design starts with no variable set but the token', async (t) => {
  const { config, log } = await openIn(t, await makeHome(t, { 'gateway.yaml': EXAMPLE }), { env: { GATEWAY_AUTH_TOKEN: 'tok-123456' } })
  assert.equal(config.current.gateway.auth.token, 'tok-123456')
  assert.equal(config.current.models.providers['anthropic']?.apiKey, undefined)
  assert.equal(config.current.models.providers['local']?.baseUrl, 'http://127.0.0.1:11434/v1')
  assert.deepEqual(config.current.plugins['telegram']?.config, { botToken: { secret: 'telegram-bot' } })
  assert.equal(config.current.plugins['weather']?.enabled, true)
  assert.match(log.recent({ level: 'warn' }).entries[0]?.message ?? '', /gateway\.yaml:7:34: models\.providers\.anthropic\.apiKey .* ANTHROPIC_API_KEY is not set/)
})

test('the hooks and mappings of the seeds are valid', async (t) => {
  const text = `hooks:
  enabled: true
  token: "your-hook-token"
  path: "/hooks"
  maxBodyBytes: 262144
  mappings:
    - path: "github"
      action:
        kind: "agent"
        message: "{{ payload.commits[0].message }}"
        channel: "discord"
        to: "#dev-notifications"
    - match: { path: gmail }
      action: agent
      messageTemplate: "From {{messages[0].from}}"
`
  assert.deepEqual(await mistakesIn(t, text), [])
})

test('all mistakes are reported at once, each with its place and what is accepted', async (t) => {
  const text = `gateway:
  port: ninety
  bind: nowhere
  hosts: [good.example, "http://bad.example"]
  auth: { enabled: maybe }
  tls: { cert: a.pem }
models:
  providers:
    local: { api: openai-compatible }
    other: { api: 7, baseUrl: ftp://example }
    "a b": { api: openai }
log: loud
`
  assert.deepEqual(await mistakesIn(t, text), [
    'gateway.yaml:2:3: gateway.port takes a whole number from 0 to 65535, not the text "ninety"',
    'gateway.yaml:3:3: gateway.bind takes loopback, all or an IP address, not the text "nowhere"',
    'gateway.yaml:4:25: gateway.hosts[1] takes a host name without scheme, port or path, not the text "http://bad.example"',
    'gateway.yaml:5:11: gateway.auth.enabled takes true or false, not the text "maybe"',
    'gateway.yaml:6:3: gateway.tls.key is missing: it takes text that is not empty',
    'gateway.yaml:10:14: models.providers.other.api takes text that is not empty, not 7',
    'gateway.yaml:10:22: models.providers.other.baseUrl takes an address that begins with http:// or https://, not the text "ftp://example"',
    'gateway.yaml:11:5: models.providers["a b"] cannot be called that: a name takes letters, digits, dots, dashes and underscores, 64 at most',
    'gateway.yaml:12:1: log takes a section with level, file, pretty, not the text "loud"',
  ])
})

test('a provider that has no address of its own needs one', async (t) => {
  const [mistake] = await mistakesIn(t, 'models: { providers: { local: { api: openai-compatible } } }')
  assert.match(mistake ?? '', /gateway\.yaml:1:24: models\.providers\.local\.baseUrl is missing/)
})

test('where a field takes one of several things, one sentence says so', async (t) => {
  assert.deepEqual(await mistakesIn(t, 'models: { providers: { a: { api: openai, apiKey: { secrt: 5, x: 1 } } } }'), [
    'gateway.yaml:1:42: models.providers.a.apiKey takes text, ${NAME}, or { secret: name }, not a section',
  ])
})

test('a gateway open to the network without authentication is refused', async (t) => {
  const [mistake] = await mistakesIn(t, 'gateway:\n  bind: all\n  auth:\n    enabled: false\n')
  assert.match(mistake ?? '', /^gateway\.yaml:4:5: gateway\.auth\.enabled is false while gateway\.bind is all/)
  assert.deepEqual(await mistakesIn(t, 'gateway: { bind: 127.0.0.2, auth: { enabled: false } }'), [])
})

test('an unknown key warns with the nearest known name and does no harm', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway:\n  prot: 80\n  auth: { tokn: abcdefgh }\nzebras: 1\n' })
  const { config } = await openIn(t, home)
  assert.deepEqual(config.problems.map(({ severity, line, message }) => ({ severity, line, message })), [
    { severity: 'warning', line: 2, message: 'gateway.prot is not known and does nothing. Did you mean port?' },
    { severity: 'warning', line: 3, message: 'gateway.auth.tokn is not known and does nothing. Did you mean token?' },
    { severity: 'warning', line: 4, message: 'zebras is not known and does nothing' },
  ])
  assert.equal(config.current.gateway.port, 18_789)
})

test('a section with nothing in it counts as absent', async (t) => {
  assert.deepEqual(await mistakesIn(t, 'gateway:\n  # port: 80\nmodels:\n  default:\n'), [])
})

test('a text that YAML takes for an alias is pointed at', async (t) => {
  assert.match((await mistakesIn(t, 'gateway:\n  auth:\n    token: *abc\n'))[0] ?? '', /^gateway\.yaml:3:12: A text that starts with \* needs quotes/)
})

const BROKEN: readonly (readonly [what: string, text: string, said: RegExp])[] = [
  ['a key that stands twice', 'gateway:\n  port: 1\n  port: 2\n', /^gateway\.yaml:3:3: The same key stands twice/],
  ['an open bracket', 'gateway: { port: 1\nlog: {}\n', /^gateway\.yaml:\d+:\d+: This is not valid YAML/],
  ['a tab for indentation', 'gateway:\n\tport: 1\n', /^gateway\.yaml:2:1: .*tab/],
  ['a list for a file', '- 1\n', /must hold sections/],
  ['two documents', 'gateway: {}\n---\ngateway: {}\n', /several YAML documents/],
  ['more than a mebibyte', `# ${'x'.repeat(1024 * 1024)}\n`, /larger than 1 MiB/],
  ['a hundred brackets', `plugins: { x: { config: { y: ${'['.repeat(100)}${']'.repeat(100)} } } }`, /nested too deeply/],
  ['keys in keys, a thousand bytes of them', '? '.repeat(500), /nested too deeply/],
  ['keys in keys, more than the parser stands', '? - '.repeat(1_500), /nested too deeply/],
  ['half a million brackets', '['.repeat(500_000), /nested too deeply|not valid YAML/],
  ['more sections in each other than the parser stands', `gateway: ${'{a: '.repeat(2_000)}1${'}'.repeat(2_000)}`, /^gateway\.yaml:\d+:\d+: The file is nested too deeply$/],
  ['an anchor inside itself', 'plugins: { x: { config: &a { b: *a } } }', /nested too deeply|anchor/],
]

for (const [what, text, said] of BROKEN) {
  test(`a file with ${what} is refused with a reason`, async (t) => {
    const mistakes = await mistakesIn(t, text)
    assert.match(mistakes[0] ?? 'nothing wrong', said)
  })
}

test('an alias bomb is refused', async (t) => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 9; level++) lines.push(`a${level}: &a${level} [${Array(9).fill(`*a${level - 1}`).join(', ')}]`)
  const mistakes = await mistakesIn(t, lines.join('\n'))
  assert.match(mistakes[0] ?? '', /repeats parts by alias so often/)
})

test('an anchor may be used in several places', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'agents:\n  a: &base { model: x/y }\n  b: *base\n' })
  const { config } = await openIn(t, home)
  assert.equal(config.current.agents['b']?.model, 'x/y')
})

test('JSON and JSON5 mistakes come with line and column', async (t) => {
  assert.match((await mistakesIn(t, '{\n  "gateway": {,}\n}', {}, 'gateway.json'))[0] ?? '', /^gateway\.json:2:15: This is not valid JSON/)
  assert.match((await mistakesIn(t, '{\n  gateway: {,}\n}', {}, 'gateway.json5'))[0] ?? '', /^gateway\.json5:2:13: This is not valid JSON5/)
  assert.match((await mistakesIn(t, '{\n\t"gateway": { "port": "x" }\n}', {}, 'gateway.json'))[0] ?? '', /^gateway\.json:2:15: gateway\.port/)
  assert.match((await mistakesIn(t, '{ "gateway": {}, "gateway": {} }', {}, 'gateway.json'))[0] ?? '', /stands twice/)
})

test('a file that is no text, or no file, says so', async (t) => {
  const home = await makeHome(t)
  await mkdir(join(home, 'gateway.yaml'))
  await assert.rejects(openIn(t, home), /gateway\.yaml: This is a directory/)
  const other = await makeHome(t)
  await writeFile(join(other, 'gateway.yaml'), Buffer.from([0x67, 0xff, 0xfe, 0x00]))
  await assert.rejects(openIn(t, other), /gateway\.yaml: This file is not UTF-8 text/)
})

test('no message about a mistake repeats a secret', async (t) => {
  const secret = 'S3CR3T-VALUE'
  const texts = [
    `gateway: { auth: { token: *${secret} } }`,
    `gateway: { auth: { token: !${secret} } }`,
    `gateway: { auth: { token: @${secret} } }`,
    `gateway: { auth: { token: [${secret}] } }`,
    `gateway: { auth: { token: ${secret}: x } }`,
    `gateway:\n  auth:\n    token: "${secret}\n  port: 1\n`,
    `gateway:\n  auth:\n    token: |x${secret}\n  port: 1\n`,
    `%${secret}\ngateway: {}\n`,
    `models: { providers: { x: { api: openai, headers: { a: { b: ${secret} } } } } }`,
    `models: { providers: { x: { api: openai, baseUrl: "ftp://me:${secret}@host" } } }`,
    'models: { providers: { x: { api: openai, baseUrl: "${KEY}" } } }',
    'gateway: { bind: "${KEY}" }',
  ]
  for (const text of texts) {
    const mistakes = await mistakesIn(t, text, { env: { KEY: secret } })
    assert.notEqual(mistakes.length, 0, text)
    assert.ok(!mistakes.join('\n').includes(secret), `${text}: ${mistakes.join('\n')}`)
  }
  const mistakes = await mistakesIn(t, `{ "gateway": { "auth": { "token": ${secret} } } }`, {}, 'gateway.json')
  assert.ok(!mistakes.join('\n').includes(secret))
})

test('what is in force cannot be changed by who reads it', async (t) => {
  const { config } = await openIn(t, await makeHome(t, { 'gateway.yaml': 'plugins: { x: { config: { list: [{ a: 1 }] } } }' }))
  const list = config.current.plugins['x']?.config['list'] as { a: number }[]
  assert.throws(() => Object.assign(config.current.gateway, { port: 1 }), TypeError)
  assert.throws(() => Object.assign(list[0] ?? {}, { a: 2 }), TypeError)
})

const EXAMPLE = `gateway:
  port: 18789
  bind: loopback
  auth: { enabled: true, token: "\${GATEWAY_AUTH_TOKEN}" }
models:
  providers:
    anthropic: { api: anthropic, apiKey: "\${ANTHROPIC_API_KEY}" }
    openai:    { api: openai, apiKey: "\${OPENAI_API_KEY}" }
    local:     { api: openai-compatible, baseUrl: http://127.0.0.1:11434/v1 }
  default: anthropic/claude-sonnet-5
agents:
  default: { model: anthropic/claude-sonnet-5, fallbacks: [local/qwen3], system: "You are ...", tools: { profile: messaging } }
budgets: { perDay: { tokens: 2000000, usd: 5 }, perRun: { tokens: 200000 } }
plugins:
  telegram: { version: ^1.0.0, config: { botToken: { secret: telegram-bot } } }
  weather:  { from: isopod-plugin-weather, version: ~1.4.0, enabled: true }
hooks: { enabled: true, token: "\${HOOK_TOKEN}", path: /hooks, maxBodyBytes: 262144, mappings: [] }
`
