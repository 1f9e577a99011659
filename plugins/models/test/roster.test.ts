import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SmallGateway } from './small-gateway.ts'

const LOCAL = { api: 'openai-compatible', baseUrl: 'http://127.0.0.1:11434/v1' }

test('without config the offline model is the default and the only one', async () => {
  const gateway = new SmallGateway()
  assert.deepEqual(await gateway.call('model.list'), { models: [{ id: 'isopod/offline', provider: 'isopod', default: true, created: 1_700_000_000 }] })
  assert.deepEqual(await gateway.call('model.resolve'), { id: 'isopod/offline', known: true })
})

test('configured models are listed once each, the default first and the offline model always', async () => {
  const gateway = new SmallGateway({ config: { default: 'local/qwen3', providers: { claude: { api: 'anthropic' }, local: { ...LOCAL, models: ['llama', 'qwen3'] } } } })
  const { models } = await gateway.call('model.list')
  assert.deepEqual((models as { id: string; default: boolean }[]).map(({ id, default: chosen }) => [id, chosen]), [
    ['local/qwen3', true],
    ['claude/claude-sonnet-5', false],
    ['local/llama', false],
    ['isopod/offline', false],
  ])
})

test('a model is offered since the time it first was', async () => {
  const gateway = new SmallGateway()
  const first = await gateway.call('model.list')
  gateway.now += 3_600_000
  assert.deepEqual(await gateway.call('model.list'), first)
  const later = new SmallGateway({ config: { providers: { local: { ...LOCAL, models: ['qwen3'] } } }, after: gateway })
  later.now = gateway.now
  const { models } = await later.call('model.list')
  const since = (models as { id: string; created: number }[]).map(({ id, created }) => [id, created])
  assert.deepEqual(since, [['local/qwen3', 1_700_003_600], ['isopod/offline', 1_700_000_000]])
  assert.deepEqual([...gateway.logged, ...later.logged], [])
})

test('two first lists at the same moment agree, and a full disk hides no model', async () => {
  const gateway = new SmallGateway()
  const [one, other] = await Promise.all([gateway.call('model.list'), gateway.call('model.list')])
  assert.deepEqual(one, other)
  assert.deepEqual(gateway.logged, [])
  const full = new SmallGateway()
  full.diskFull = true
  assert.deepEqual(await full.call('model.list'), one)
  assert.match(full.logged.join(), /could not be kept/)
})

test('a key in the environment is a provider, and the first one\'s model is the default', async () => {
  const gateway = new SmallGateway({ environment: { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: ' ' } })
  assert.deepEqual(await gateway.call('model.resolve'), { id: 'openai/gpt-5', known: true })
  const both = new SmallGateway({ environment: { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'sk-2' } })
  assert.deepEqual(await both.call('model.resolve'), { id: 'anthropic/claude-sonnet-5', known: true })
})

test('config wins over the environment', async () => {
  const config = { default: 'local/qwen3', providers: { local: LOCAL, openai: { api: 'openai', models: ['gpt-mini'] } } }
  const gateway = new SmallGateway({ config, environment: { OPENAI_API_KEY: 'sk-1' } })
  assert.deepEqual(await gateway.call('model.resolve'), { id: 'local/qwen3', known: true })
  const { models } = await gateway.call('model.list')
  assert.deepEqual((models as { id: string }[]).map(({ id }) => id), ['local/qwen3', 'openai/gpt-mini', 'isopod/offline'])
})

test('a name is divided at its first slash only', async () => {
  const gateway = new SmallGateway({ config: { providers: { router: LOCAL } } })
  const name = 'router/meta-llama/llama-3:free'
  assert.deepEqual(await gateway.call('model.resolve', { model: name }), { id: name, known: true })
})

test('the default stands in for a name nobody serves, with one warning for each name', async () => {
  const gateway = new SmallGateway()
  for (const model of ['anthropic/claude-3-5-sonnet', 'gpt-4-for-one-warning', 'gpt-4-for-one-warning', 'isopod/other', 'x/', '/x']) {
    assert.deepEqual(await gateway.call('model.resolve', { model }), { id: 'isopod/offline', known: false })
  }
  assert.deepEqual(gateway.logged.filter((line) => line.includes('for-one-warning')), [
    'No configured provider serves the model "gpt-4-for-one-warning": isopod/offline answers in its place {}',
  ])
})

test('a default that cannot be asked is said at the start, and the first provider answers', async () => {
  const gateway = new SmallGateway({ config: { default: 'anthropc/claude', providers: { local: { ...LOCAL, models: ['qwen3'] } } } })
  assert.deepEqual(await gateway.call('model.resolve'), { id: 'local/qwen3', known: true })
  assert.match(gateway.logged.join(), /models\.default is anthropc\/claude, but no such provider is configured: local\/qwen3 answers instead/)
})
