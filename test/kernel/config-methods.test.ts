/** The config as clients see and change it: over a real file, with a gateway that follows it. */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { API_VERSION, definePlugin, type JsonObject, type Schema } from '@isopod/plugin-api'
import { TestClient, type ClientOptions } from '@isopod/testing'
import { TokenBook } from '../../kernel/auth/tokens.ts'
import type { ConfigSource } from '../../kernel/config/config.ts'
import { openGateway, type RunningGateway } from '../../kernel/gateway.ts'
import type { Source } from '../../kernel/lifecycle/catalog.ts'
import { openMemoryStore } from '../../kernel/store/memory.ts'
import { makeHome, openIn } from '../config/home.ts'
import { HeldTransport } from '../wire/held.ts'
import { methods } from './house.ts'

const YAML = `# The gateway of the house.
gateway:
  port: 1 # as everybody's
  auth: { token: "\${TOKEN}", password: a-literal-password }

models:
  providers:
    local: { api: openai-compatible, baseUrl: "http://127.0.0.1:1/v1", apiKey: sk-a-literal-key }
plugins:
  # the weather
  weather: { config: { apiKey: the-weather-key, city: Oslo } }
`
const SECRETS = /the-live-token|a-literal-password|sk-a-literal-key|the-weather-key/

const schema: Schema = {
  type: 'object',
  additionalProperties: false,
  properties: { apiKey: { type: 'string', secret: true }, city: { type: 'string', minLength: 1 }, days: { type: 'integer', default: 3 } },
}

function source(id: string, config?: Schema): Source {
  const plugin = definePlugin(methods({ [`${id}.config`]: (_, ctx) => ctx.config, [`${id}.say`]: () => id }))
  const failing = id === 'news' ? { ...plugin, start: async (ctx: { config: JsonObject }) => { if (ctx.config['broken'] === true) throw new Error('there is no news') } } : plugin
  return { manifest: { id, name: id, version: '1.0.0', entry: '', api: `^${API_VERSION}`, needs: {}, ...(config !== undefined && { config }) }, plugin: failing, builtIn: true }
}

interface Opened {
  readonly gateway: RunningGateway
  readonly config: ConfigSource
  readonly file: string
  readonly client: (options?: ClientOptions) => TestClient
  readonly text: () => Promise<string>
}

async function open(t: TestContext, yaml = YAML): Promise<Opened> {
  const home = await makeHome(t, { 'gateway.yaml': yaml })
  const { config, log, clock } = await openIn(t, home, { env: { TOKEN: 'the-live-token' } })
  const tokens = new TokenBook({ home, clock, warn: (message) => log.warn(message) })
  const builtIn = [source('weather', schema), source('news')]
  const gateway = await openGateway({ version: '1', clock, log, config, store: openMemoryStore({ clock }), tokens, transport: new HeldTransport().factory, builtIn, home })
  t.after(async () => {
    await gateway.close(0)
    await tokens.close()
  })
  const file = join(home, 'gateway.yaml')
  return { gateway, config, file, client: (options = {}) => new TestClient(gateway.kernel.core, options, async () => {}), text: () => readFile(file, 'utf8') }
}

type Shown = { config: JsonObject; revision: string; file: string; problems: JsonObject[] }
type Updated = Shown & { changes: { brought: string[]; retired: string[]; failed: JsonObject }; atNextStart: string[] }

const everything = ({ client }: Opened) => client().call('config.get') as unknown as Promise<Shown>
const update = ({ client }: Opened, patch: JsonObject, more: JsonObject = {}) => client().call('config.update', { patch, ...more }) as unknown as Promise<Updated>

describe('config.get', () => {
  it('shows what is in force, defaults and all, and no secret, a plugin\'s own included', async (t) => {
    const { config, revision, file, problems } = await everything(await open(t))
    assert.ok(!JSON.stringify(config).match(SECRETS))
    assert.partialDeepStrictEqual(config, {
      gateway: { port: 1, bind: 'loopback', auth: { token: '${TOKEN}', password: '<redacted>' } },
      plugins: { weather: { enabled: true, config: { apiKey: '<redacted>', city: 'Oslo' } } },
    })
    assert.match(revision, /^[0-9a-f]{16}$/)
    assert.deepEqual([file, problems], ['gateway.yaml', []], 'and nothing of where the home is')
  })

  it('shows none of the texts of a plugin whose schema is not known', async (t) => {
    const opened = await open(t, `${YAML}  stray: { config: { key: the-weather-key, days: 3 } }\n`)
    const { config } = await everything(opened)
    assert.deepEqual((config['plugins'] as JsonObject)['stray'], { enabled: true, config: { key: '<redacted>', days: 3 } })
  })

  it('does not trust the schema of the plugin whose place another was to take', async (t) => {
    const opened = await open(t)
    await update(opened, { plugins: { weather: { from: './not-there', config: { city: 'a-secret-of-the-other-one' } } } })
    assert.ok(!JSON.stringify(await everything(opened)).includes('a-secret-of-the-other-one'))
  })

  it('tells what is wrong with the file, while the last good one stays in force', async (t) => {
    const opened = await open(t)
    await writeFile(opened.file, 'gateway: { port: many }\n')
    await opened.config.reload()
    const { config, problems } = await everything(opened)
    assert.equal((config['gateway'] as JsonObject)['port'], 1)
    assert.partialDeepStrictEqual(problems, [{ severity: 'error', path: 'gateway.port', line: 1 }])
    assert.ok(!JSON.stringify(problems).includes(opened.file))
  })

  it('needs the scope read', async (t) => {
    const { client } = await open(t)
    await client({ scopes: ['read'] }).call('config.get')
    await client({ scopes: ['read'] }).call('config.schema')
    assert.equal((await client({ scopes: ['approve'] }).refusal('config.get')).code, 'forbidden')
  })
})

describe('config.schema', () => {
  it('describes the whole file, plugins\' sections where they belong', async (t) => {
    const { client } = await open(t)
    const { schema: whole } = (await client().call('config.schema')) as { schema: { properties: Record<string, { properties: Record<string, { properties: { config: object } }> }> } }
    assert.ok('port' in (whole.properties['gateway']?.properties ?? {}))
    assert.deepEqual(whole.properties['plugins']?.properties['weather']?.properties.config, schema)
  })
})

describe('config.update', () => {
  it('is in force when it answers, in the file with its comments, and answered without secrets', async (t) => {
    const opened = await open(t)
    const before = await everything(opened)
    const answer = await update(opened, { gateway: { limits: { requestsPerMinute: 7 } }, plugins: { weather: { config: { city: 'Rome' } } } }, { revision: before.revision })
    assert.notEqual(answer.revision, before.revision)
    assert.partialDeepStrictEqual(answer.config, { gateway: { limits: { requestsPerMinute: 7 } }, plugins: { weather: { config: { apiKey: '<redacted>', city: 'Rome' } } } })
    assert.ok(!JSON.stringify(answer).match(SECRETS))
    assert.deepEqual([answer.changes, answer.atNextStart], [{ brought: ['weather 1.0.0'], retired: ['weather 1.0.0'], failed: {} }, []])
    assert.equal(((await opened.client().call('weather.config')) as JsonObject)['city'], 'Rome')
    const text = await opened.text()
    assert.match(text, /^# The gateway of the house\.\ngateway:\n {2}port: 1 # as everybody's\n/)
    assert.match(text, /# the weather\n {2}weather: \{ config: \{ apiKey: the-weather-key, city: Rome \} \}/)
    const { config, revision } = await everything(opened)
    assert.deepEqual({ config, revision }, { config: answer.config, revision: answer.revision })
  })

  it('of what was shown, sent back whole with one field changed, changes that field and no secret', async (t) => {
    const opened = await open(t)
    const { config, revision } = await everything(opened)
    const weather = { ...((config['plugins'] as JsonObject)['weather'] as JsonObject), config: { apiKey: '<redacted>', city: 'Rome' } }
    await update(opened, { ...config, plugins: { weather } }, { revision })
    assert.match(await opened.text(), /a-literal-password[^]*sk-a-literal-key[^]*apiKey: the-weather-key, city: Rome/)
  })

  it('is a conflict for who has not seen the newest revision, and changes nothing', async (t) => {
    const opened = await open(t)
    const { revision } = await everything(opened)
    await update(opened, { log: { level: 'warn' } }, { revision })
    const text = await opened.text()
    assert.partialDeepStrictEqual(await opened.client().refusal('config.update', { patch: { log: { level: 'error' } }, revision }), { code: 'conflict' })
    assert.equal(await opened.text(), text)
    assert.partialDeepStrictEqual((await update(opened, { log: { level: 'error' } })).config, { log: { level: 'error' } }, 'without a revision it is the current one')
  })

  it('is of the file as it was saved a moment ago', async (t) => {
    const opened = await open(t)
    await writeFile(opened.file, YAML.replace('Oslo', 'Bergen'))
    const { config } = await update(opened, { log: { level: 'warn' } })
    assert.partialDeepStrictEqual(config, { log: { level: 'warn' }, plugins: { weather: { config: { city: 'Bergen' } } } })
  })

  it('that the gateway\'s or a plugin\'s schema refuses is not written', async (t) => {
    const opened = await open(t)
    const bad: readonly (readonly [JsonObject, RegExp])[] = [
      [{ gateway: { port: 'many' } }, /gateway\.port takes/],
      [{ gateway: { auth: { enabled: false }, bind: 'all' } }, /anyone who reaches this machine/],
      [{ plugins: { weather: { config: { city: 5 } } } }, /the config of weather: city: must be string/],
      [{ plugins: { weather: { config: { days: 'three' } } } }, /the config of weather: days/],
    ]
    for (const [patch, why] of bad) {
      const refusal = await opened.client().refusal('config.update', { patch })
      assert.equal(refusal.code, 'invalid_request')
      assert.match(refusal.message, why)
    }
    assert.equal(await opened.text(), YAML)
  })

  it('of something else goes through though a plugin\'s config was wrong before', async (t) => {
    const opened = await open(t, YAML.replace('city: Oslo', 'city: 5'))
    assert.deepEqual((await update(opened, { log: { level: 'warn' } })).changes.failed, { weather: 'the config of weather: city: must be string' })
  })

  it('says which plugin failed by it, and which keys do nothing', async (t) => {
    const opened = await open(t)
    const { changes, problems } = await update(opened, { gatewya: {}, plugins: { news: { config: { broken: true } }, weather: { config: { citty: 'Rome' } } } })
    assert.match(String(changes.failed['news']), /there is no news/)
    assert.equal(await opened.client().call('news.say'), 'news', 'what ran goes on')
    const told = problems.map(({ message }) => String(message)).join('\n')
    assert.match(told, /gatewya is not known.*Did you mean gateway/)
    assert.match(told, /plugins\.weather\.config\.citty is not known.*city/)
  })

  it('says what only takes effect at the next start', async (t) => {
    assert.deepEqual((await update(await open(t), { gateway: { port: 2, bind: '127.0.0.1', hosts: ['box'] } })).atNextStart, ['gateway.port', 'gateway.bind'])
  })

  it('without a change answers the same revision, and replaces nothing', async (t) => {
    const opened = await open(t)
    const { revision } = await everything(opened)
    assert.partialDeepStrictEqual(await update(opened, {}), { revision, changes: { brought: [], retired: [] } })
  })

  it('of a file that has mistakes is refused with the mistakes, and the file stays', async (t) => {
    const opened = await open(t)
    await writeFile(opened.file, 'gateway: { port: many }\n')
    const refusal = await opened.client().refusal('config.update', { patch: { log: { level: 'warn' } } })
    assert.equal(refusal.code, 'invalid_request')
    assert.partialDeepStrictEqual(refusal.details, { problems: [{ path: 'gateway.port' }] })
    assert.equal(await opened.text(), 'gateway: { port: many }\n')
  })

  it('is the owner\'s: neither the agent, nor a stranger, nor a timer can have it made', async (t) => {
    const opened = await open(t)
    for (const origin of ['agent', 'stranger', 'automation'] as const) {
      const client = opened.client({ origin })
      for (const [method, params] of [['config.update', { patch: { log: { level: 'warn' } } }], ['token.create', { name: 'x', scopes: ['read'] }], ['token.revoke', { token: 'x' }], ['plugin.disable', { id: 'news' }], ['plugin.enable', { id: 'news' }]] as const) {
        assert.equal((await client.refusal(method, params)).code, 'forbidden', `${method} for ${origin}`)
      }
    }
    assert.equal(await opened.text(), YAML)
  })

  it('needs the scope admin, and for what could give itself everything the scope approve as well', async (t) => {
    const opened = await open(t)
    assert.equal((await opened.client({ scopes: ['read', 'write', 'approve'] }).refusal('config.update', { patch: {} })).code, 'forbidden')
    const admin = opened.client({ scopes: ['admin'] })
    const trusted: readonly (readonly [JsonObject, string])[] = [
      [{ gateway: { auth: { token: 'a-token-of-my-own-making' } } }, 'gateway.auth'],
      [{ gateway: { auth: { enabled: false } } }, 'gateway.auth'],
      [{ gateway: { auth: null } }, 'gateway.auth'],
      [{ gateway: null }, 'gateway.auth'],
      [{ plugins: { weather: { trust: 'full' } } }, 'plugins.weather.trust'],
      [{ plugins: { mine: { from: '/tmp/mine' } } }, 'plugins.mine.from'],
      [{ models: { providers: { local: { baseUrl: 'https://mine.example/v1' } } } }, 'models.providers.local.baseUrl'],
      [{ plugins: { models: { config: { providers: { local: { baseUrl: 'https://mine.example/v1' } } } } } }, 'plugins.models.config.providers.local.baseUrl'],
      [{ log: { file: '/tmp/elsewhere' } }, 'log.file'],
    ]
    for (const [patch, param] of trusted) {
      assert.deepEqual(await admin.refusal('config.update', { patch }), { code: 'forbidden', message: `Changing ${param} needs the scope \`approve\` as well`, param })
    }
    assert.equal(await opened.text(), YAML)
    await admin.call('config.update', { patch: { plugins: { news: { enabled: false } }, gateway: { auth: { password: '<redacted>' } } } })
    assert.match(await opened.text(), /news/)
  })

  it('is told as config.changed, with the revision and no word of what the config says', async (t) => {
    const opened = await open(t)
    const client = opened.client({ scopes: ['read'] })
    await client.call('events.subscribe', { events: ['config.changed'] })
    const { revision } = await update(opened, { plugins: { weather: { config: { apiKey: 'another-key' } } } })
    const { data } = await client.heard('config.changed')
    assert.deepEqual(data, { generation: opened.gateway.kernel.generation.number, revision })
  })
})

it('a plugin from a folder has its section in the schema, and its secrets are hidden, though it was never loaded', async (t) => {
  const opened = await open(t)
  const folder = join(opened.file, '..', 'mine')
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'mine', version: '1.0.0', type: 'module', exports: './index.js', isopod: { id: 'mine', api: '^1.0.0', config: schema } }))
  const answer = await update(opened, { plugins: { mine: { from: './mine', config: { apiKey: 'the-weather-key', city: 'Rome' } } } })
  assert.match(String(answer.changes.failed['mine']), /trust/)
  assert.partialDeepStrictEqual(answer.config, { plugins: { mine: { config: { apiKey: '<redacted>', city: 'Rome' } } } })
})
