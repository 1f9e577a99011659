import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeHome, openIn } from './home.ts'

const yaml = (text: string) => ({ 'gateway.yaml': text })

test('a variable that is not set keeps the gateway from starting where its credential would stand', async (t) => {
  const home = await makeHome(t, yaml('gateway:\n  auth:\n    token: "${GATEWAY_AUTH_TOKEN}"\n'))
  await assert.rejects(openIn(t, home), /gateway\.yaml:3:5: gateway\.auth\.token needs the environment variable GATEWAY_AUTH_TOKEN, which is not set/)
  await assert.rejects(openIn(t, home, { env: { GATEWAY_AUTH_TOKEN: '' } }), /GATEWAY_AUTH_TOKEN, which is not set/)
})

test('a limit on spending does not vanish with its variable', async (t) => {
  const home = await makeHome(t, yaml('budgets: { perDay: { usd: "${DAILY}" } }'))
  await assert.rejects(openIn(t, home), /budgets\.perDay\.usd needs the environment variable DAILY/)
})

test('a reference that names no variable is refused where a credential would stand', async (t) => {
  const home = await makeHome(t, yaml('gateway: { auth: { token: "${MY-TOKEN}" } }'))
  await assert.rejects(openIn(t, home), /gateway\.auth\.token holds a \$\{\.\.\.\} that names no variable/)
})

test('the default behind a variable serves while it is unset or empty', async (t) => {
  const home = await makeHome(t, yaml('agents: { default: { system: "a ${WHO:-stranger} b ${WHO:-}" } }'))
  assert.equal((await openIn(t, home)).config.current.agents['default']?.system, 'a stranger b ')
  assert.equal((await openIn(t, home, { env: { WHO: '' } })).config.current.agents['default']?.system, 'a stranger b ')
  assert.equal((await openIn(t, home, { env: { WHO: 'me' } })).config.current.agents['default']?.system, 'a me b me')
})

test('what a variable holds is text and nothing else', async (t) => {
  const home = await makeHome(t, yaml('agents: { default: { system: "${WHO}", model: "$${WHO}" } }'))
  const { config } = await openIn(t, home, { env: { WHO: 'x\nbudgets: ${WHO}' } })
  assert.equal(config.current.agents['default']?.system, 'x\nbudgets: ${WHO}')
  assert.equal(config.current.agents['default']?.model, '${WHO}')
})

test('names inherited from an object are no variables', async (t) => {
  const home = await makeHome(t, yaml('agents: { default: { system: "${constructor:-none}" } }'))
  assert.equal((await openIn(t, home)).config.current.agents['default']?.system, 'none')
})

test('a variable may spell a number or a boolean where the schema wants one', async (t) => {
  const home = await makeHome(t, yaml('gateway: { port: "${PORT}", auth: { query: "${QUERY}", token: "${TOKEN}" } }'))
  const { config } = await openIn(t, home, { env: { PORT: '8080', QUERY: 'true', TOKEN: '12345678' } })
  assert.equal(config.current.gateway.port, 8_080)
  assert.equal(config.current.gateway.auth.query, true)
  assert.equal(config.current.gateway.auth.token, '12345678')
})

test('an entry of a list whose variable is unset is left out with a warning where that does no harm', async (t) => {
  const home = await makeHome(t, yaml('models: { providers: { x: { api: openai, models: ["a", "${B}", "c"] } } }'))
  const { config } = await openIn(t, home)
  assert.deepEqual(config.current.models.providers['x']?.models, ['a', 'c'])
  assert.deepEqual(config.problems.map(({ severity, path }) => [severity, path]), [['warning', 'models.providers.x.models[1]']])
})

test('every documented variable gives the token, the first that is set wins, an empty one counts as unset', async (t) => {
  const home = await makeHome(t, yaml('gateway: { auth: { token: from-the-file } }'))
  const tokenWith = async (env: { [name: string]: string }) => (await openIn(t, home, { env })).config.current.gateway.auth.token
  for (const name of ['GATEWAY_AUTH_TOKEN', 'ISOPOD_TOKEN', 'OPENCLAW_GATEWAY_TOKEN', 'OPENCLAW_AUTH_TOKEN']) {
    assert.equal(await tokenWith({ [name]: `from ${name}` }), `from ${name}`)
    assert.equal(await tokenWith({ [name]: '' }), 'from-the-file')
  }
  assert.equal(await tokenWith({ GATEWAY_AUTH_TOKEN: '', OPENCLAW_AUTH_TOKEN: 'last', ISOPOD_TOKEN: 'second' }), 'second')
})

test('a token from the environment stands in for an unresolved reference in the file', async (t) => {
  const home = await makeHome(t, yaml('gateway: { auth: { token: "${NOT_SET}" } }'))
  const { config } = await openIn(t, home, { env: { ISOPOD_TOKEN: 'a-token' } })
  assert.equal(config.current.gateway.auth.token, 'a-token')
})

test('ISOPOD_PORT sets the port and --port wins over it', async (t) => {
  const home = await makeHome(t, yaml('gateway: { port: 1 }'))
  const portWith = async (env: { [name: string]: string }, port?: string) => (await openIn(t, home, { env, flags: { port } })).config.current.gateway.port
  assert.equal(await portWith({ ISOPOD_PORT: '2' }), 2)
  assert.equal(await portWith({ ISOPOD_PORT: '2' }, '3'), 3)
  assert.equal(await portWith({ ISOPOD_PORT: '' }), 1)
})

test('an empty text is called one, where a secret is and elsewhere', async (t) => {
  const home = await makeHome(t, yaml('{ gateway: { auth: { token: "" } }, models: { default: "" } }'))
  await assert.rejects(openIn(t, home), (thrown: Error) => {
    assert.match(thrown.message, /gateway\.auth\.token takes text, or \$\{NAME\}, not an empty text/)
    assert.match(thrown.message, /models\.default takes .*, not an empty text/)
    return true
  })
})

test('a port that is none is blamed on who set it', async (t) => {
  const home = await makeHome(t)
  await assert.rejects(openIn(t, home, { env: { ISOPOD_PORT: 'http' } }), /ISOPOD_PORT: gateway\.port takes a whole number from 0 to 65535, not the text "http"/)
  await assert.rejects(openIn(t, home, { flags: { port: '99999' } }), /--port: gateway\.port takes a whole number from 0 to 65535, not 99999/)
})
