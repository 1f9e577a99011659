import assert from 'node:assert/strict'
import dns from 'node:dns'
import { test, type TestContext } from 'node:test'
import { serving, spelled, streaming } from './raw-provider.ts'
import { heard, refusal, SmallGateway, user } from './small-gateway.ts'

const answer = streaming(spelled('openai', { text: 'ok', finish: 'stop' }))

/** The key that reaches the address, and what the model said. */
function keyAt(use: (url: string) => SmallGateway, id: string): Promise<string | undefined> {
  let key: string | undefined
  return serving((request, response) => {
    key = request.headers.authorization
    void answer(request, response)
  }, async (url) => {
    await heard(use(url).ask(id, { messages: [user('hi')] }))
    return key
  })
}

test('key and address of the environment belong together', async () => {
  const key = await keyAt((url) => new SmallGateway({ environment: { OPENAI_API_KEY: 'k-env', OPENAI_BASE_URL: url } }), 'openai/m')
  assert.equal(key, 'Bearer k-env')
})

test('a key of the config goes to the address of the environment', async () => {
  const config = { providers: { mine: { api: 'openai', apiKey: { secret: 'key' } } } }
  const key = await keyAt((url) => new SmallGateway({ config, secrets: { key: 'k-config' }, environment: { OPENAI_BASE_URL: url } }), 'mine/m')
  assert.equal(key, 'Bearer k-config')
})

test('a key of the environment never goes to an address of the config', async () => {
  const use = (baseUrl: string) => new SmallGateway({ config: { providers: { mine: { api: 'openai', baseUrl } } }, environment: { OPENAI_API_KEY: 'k-env' } })
  assert.equal(await keyAt(use, 'mine/m'), undefined)
})

test('a refused key of the environment is named by its variable', async () => {
  const { error } = await serving((_request, response) => void response.writeHead(401).end(), (url) => {
    return refusal(new SmallGateway({ environment: { OPENAI_API_KEY: 'k-env', OPENAI_BASE_URL: url } }).ask('openai/m', { messages: [user('hi')] }))
  })
  assert.equal(error.message, 'openai does not accept its key (401). Check OPENAI_API_KEY')
})

test('Anthropic\'s address may be given with or without its version', async () => {
  const paths: (string | undefined)[] = []
  const claude = streaming(spelled('anthropic', { text: 'ok', finish: 'stop' }))
  await serving((request, response) => {
    paths.push(request.url)
    void claude(request, response)
  }, async (url) => {
    for (const address of [url, url.replace('/v1', ''), `${url}/`]) {
      await heard(new SmallGateway({ environment: { ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: address } }).ask('anthropic/m', { messages: [user('hi')] }))
    }
  })
  assert.deepEqual(paths, ['/v1/messages', '/v1/messages', '/v1/messages'])
})

/** Runs `use` with a network on which no name is found, and answers how many requests were tried. */
async function offTheNetwork(t: TestContext, use: () => Promise<void>): Promise<number> {
  const notFound = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
  const lookup = t.mock.method(dns, 'lookup', (_host: string, _options: object, told: (failure: Error) => void) => process.nextTick(told, notFound))
  await use()
  return lookup.mock.callCount()
}

test('a vendor without a key is not asked, and where the key goes is said', async (t) => {
  const gateway = new SmallGateway({ config: { providers: { anthropic: { api: 'anthropic' }, mine: { api: 'openai' } } } })
  const asked = await offTheNetwork(t, async () => {
    for (const [id, variable] of [['anthropic', 'ANTHROPIC_API_KEY'], ['mine', 'OPENAI_API_KEY']]) {
      const { error } = await refusal(gateway.ask(`${id}/m`, { messages: [user('hi')] }))
      assert.deepEqual([error.code, error.retryable], ['unavailable', false])
      assert.equal(error.message, `${id} has no key: set ${variable}, or models.providers.${id}.apiKey`)
    }
  })
  assert.equal(asked, 0)
})

test('a vendor whose key is in a header of the config is asked', async (t) => {
  const config = { providers: { mine: { api: 'openai', headers: { Authorization: { secret: 'header' } } } } }
  const gateway = new SmallGateway({ config, secrets: { header: 'Bearer k-header' } })
  assert.equal(await offTheNetwork(t, async () => void (await refusal(gateway.ask('mine/m', { messages: [user('hi')] })))), 1)
})

test('a vendor that is not reached at its own address is named by its host, not by a baseUrl nobody wrote', async (t) => {
  const gateway = new SmallGateway({ environment: { OPENAI_API_KEY: 'k-env' } })
  await offTheNetwork(t, async () => {
    const { error } = await refusal(gateway.ask('openai/m', { messages: [user('hi')] }))
    assert.deepEqual([error.code, error.retryable], ['unavailable', true])
    assert.equal(error.message, 'openai cannot be reached at api.openai.com (ENOTFOUND): check your network')
  })
})
