import assert from 'node:assert/strict'
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { isRpcError } from '@isopod/plugin-api'
import { makeHome, openIn } from './home.ts'

const YAML = `# The gateway of the house.
gateway:
    port: 18789 # as everybody's
    bind: 'loopback'

    # Do not change this without telling me.
    auth: { enabled: true, token: "\${TOKEN}" }
plugins:
    # the weather
    weather: { enabled: true } # on

    # the news
    news:
        enabled: false
`

const env = { TOKEN: 'the-live-token' }

const refused = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(isRpcError(error), String(error))
  assert.equal(error.code, code)
  assert.match(error.message, message)
  return true
}

test('an update keeps comments, order, quotes and references', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': YAML })
  const { config } = await openIn(t, home, { env })
  await config.update({ gateway: { port: 80, bind: 'all' }, plugins: { weather: { enabled: false }, news: null, slack: { enabled: true } } }, config)
  assert.equal(await readFile(join(home, 'gateway.yaml'), 'utf8'), `# The gateway of the house.
gateway:
    port: 80 # as everybody's
    bind: 'all'

    # Do not change this without telling me.
    auth: { enabled: true, token: "\${TOKEN}" }
plugins:
    # the weather
    weather: { enabled: false } # on
    slack:
        enabled: true
`)
})

test('an update is in force when it resolves, and whoever follows has been called', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': YAML })
  const { config } = await openIn(t, home, { env })
  const ports: number[] = []
  config.onChange((next) => ports.push(next.gateway.port))
  const before = config.revision
  const answer = await config.update({ gateway: { port: 80 } }, { revision: before })
  assert.deepEqual(ports, [80])
  assert.equal(answer.config, config.current)
  assert.equal(answer.revision, config.revision)
  assert.notEqual(answer.revision, before)
  assert.equal(config.current.gateway.auth.token, 'the-live-token')
})

test('of two updates made from the same revision one is a conflict', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': YAML })
  const { config } = await openIn(t, home, { env })
  const { revision } = config
  const results = await Promise.allSettled([
    config.update({ gateway: { port: 80 } }, { revision }),
    config.update({ gateway: { port: 81 } }, { revision }),
  ])
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected'])
  const reason: unknown = results[1].status === 'rejected' ? results[1].reason : undefined
  refused('conflict', /has changed since you read it/)(reason)
  assert.deepEqual(isRpcError(reason) && reason.details, { revision: config.revision })
  assert.equal(config.current.gateway.port, 80)
})

test('an edit by hand that was not noticed yet is not overwritten', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': YAML })
  const { config } = await openIn(t, home, { env })
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 5 }')
  await assert.rejects(config.update({ gateway: { port: 80 } }, config), refused('conflict', /Read it again/))
  assert.equal(await readFile(join(home, 'gateway.yaml'), 'utf8'), 'gateway: { port: 5 }')
})

test('nothing is written that could not be used', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': YAML })
  const { config } = await openIn(t, home, { env })
  const patch = { gateway: { port: 'eighty', bind: 'nowhere' } }
  await assert.rejects(config.update(patch, config), (error) => {
    refused('invalid_request', /gateway\.port takes a whole number .*; .*gateway\.bind takes loopback/)(error)
    assert.ok(!String(error).includes(home), 'a caller does not learn where the home is')
    return true
  })
  assert.equal(await readFile(join(home, 'gateway.yaml'), 'utf8'), YAML)
  assert.deepEqual(await readdir(home), ['gateway.yaml'])
})

test('a patch that is no object, or has a key nobody means, is refused', async (t) => {
  const { config } = await openIn(t, await makeHome(t))
  await assert.rejects(config.update([1], config), refused('invalid_request', /JSON merge patch/))
  const sly: unknown = JSON.parse('{ "plugins": { "x": { "config": { "__proto__": { "a": 1 } } } } }')
  await assert.rejects(config.update(sly, config), refused('invalid_request', /__proto__/))
})

test('a file that is broken is not edited', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': YAML })
  const { config } = await openIn(t, home, { env })
  await writeFile(join(home, 'gateway.yaml'), 'gateway: [')
  const found = await config.update({}, config).catch((error: unknown) => error)
  const { revision } = (isRpcError(found) && found.details) as { revision: string }
  await assert.rejects(config.update({ gateway: { port: 1 } }, { revision }), refused('invalid_request', /must be mended by hand first: \d+:\d+: This is not valid YAML/))
})

test('without a file an update makes one that only its owner can read', async (t) => {
  const home = join(await makeHome(t), 'new')
  const { config } = await openIn(t, home)
  await config.update({ gateway: { port: 80 } }, { revision: 'none' })
  assert.equal(await readFile(join(home, 'gateway.yaml'), 'utf8'), 'gateway:\n  port: 80\n')
  assert.equal((await stat(join(home, 'gateway.yaml'))).mode & 0o777, 0o600)
})

test('an update that changes nothing writes nothing', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: {port:   80}   # odd\n' })
  const { config } = await openIn(t, home)
  assert.equal((await config.update({}, config)).revision, config.revision)
  assert.deepEqual(await readdir(home), ['gateway.yaml'])
})

test('the last five files are kept, the newest as .bak.1, with their mode', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }\n' })
  await chmod(join(home, 'gateway.yaml'), 0o640)
  const { config } = await openIn(t, home)
  for (let port = 2; port <= 8; port++) await config.update({ gateway: { port } }, config)
  assert.deepEqual((await readdir(home)).sort(), ['gateway.yaml', ...[1, 2, 3, 4, 5].map((number) => `gateway.yaml.bak.${number}`)])
  assert.equal(await readFile(join(home, 'gateway.yaml.bak.1'), 'utf8'), 'gateway: { port: 7 }\n')
  assert.equal(await readFile(join(home, 'gateway.yaml.bak.5'), 'utf8'), 'gateway: { port: 3 }\n')
  assert.equal((await stat(join(home, 'gateway.yaml'))).mode & 0o777, 0o640)
  assert.equal((await stat(join(home, 'gateway.yaml.bak.1'))).mode & 0o777, 0o640)
})

test('a symbolic link stays one', async (t) => {
  const elsewhere = await makeHome(t, { 'real.yaml': 'gateway: { port: 1 }\n' })
  const home = await makeHome(t)
  await symlink(join(elsewhere, 'real.yaml'), join(home, 'gateway.yaml'))
  const { config } = await openIn(t, home)
  await config.update({ gateway: { port: 2 } }, config)
  assert.ok((await lstat(join(home, 'gateway.yaml'))).isSymbolicLink())
  assert.equal(await readFile(join(elsewhere, 'real.yaml'), 'utf8'), 'gateway: { port: 2 }\n')
})

test('an update whose backup cannot be kept changes nothing and leaves nothing behind', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': YAML, 'gateway.yaml.bak.4': 'older' })
  await mkdir(join(home, 'gateway.yaml.bak.5'))
  const { config } = await openIn(t, home, { env })
  await assert.rejects(config.update({ gateway: { port: 2 } }, config), refused('unavailable', /could not be written.*Nothing was changed/))
  assert.equal(config.current.gateway.port, 18_789)
  assert.equal(await readFile(join(home, 'gateway.yaml'), 'utf8'), YAML)
  assert.deepEqual((await readdir(home)).sort(), ['gateway.yaml', 'gateway.yaml.bak.4', 'gateway.yaml.bak.5'])
})

test('where only values are replaced no other byte changes', async (t) => {
  const text = 'gateway:   {port: 1,bind:   "loopback"}   # odd\nlog:\n      level:   info\n\n\n# bottom\n'
  const home = await makeHome(t, { 'gateway.yaml': text })
  const { config } = await openIn(t, home)
  await config.update({ gateway: { port: 22 }, log: { level: 'warn' } }, config)
  assert.equal(await readFile(join(home, 'gateway.yaml'), 'utf8'), text.replace('port: 1', 'port: 22').replace('info', 'warn'))
})

test('a JSON file stays JSON, a JSON5 file is not touched', async (t) => {
  const home = await makeHome(t, { 'gateway.json': '{\n    "gateway": { "port": 1 }\n}\n' })
  const { config } = await openIn(t, home)
  await config.update({ log: { level: 'warn' } }, config)
  assert.equal(await readFile(join(home, 'gateway.json'), 'utf8'), `${JSON.stringify({ gateway: { port: 1 }, log: { level: 'warn' } }, null, 4)}\n`)

  const other = await makeHome(t, { 'gateway.json5': '{ gateway: { port: 1 } } // mine' })
  const second = await openIn(t, other)
  await assert.rejects(second.config.update({ gateway: { port: 2 } }, second.config), refused('invalid_request', /JSON5 file is never rewritten/))
})

test('line ends and comments at the edges stay', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': '# top\r\n\r\ngateway:\r\n  port: 1\r\n# bottom\r\n' })
  const { config } = await openIn(t, home)
  await config.update({ gateway: { port: 2 } }, config)
  assert.equal(await readFile(join(home, 'gateway.yaml'), 'utf8'), '# top\r\n\r\ngateway:\r\n  port: 2\r\n# bottom\r\n')
})

test('a file of comments alone keeps them', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': '# gateway:\n#   port: 1\n' })
  const { config } = await openIn(t, home)
  await config.update({ gateway: { port: 2 } }, config)
  const text = await readFile(join(home, 'gateway.yaml'), 'utf8')
  assert.match(text, /# gateway:\n#   port: 1\n/)
  assert.match(text, /gateway:\n  port: 2\n/)
})

test('a text that YAML would read as something else is written in quotes', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'agents: { default: { system: hello } }\n' })
  const { config } = await openIn(t, home)
  for (const system of ['true', '12', 'a: b', '# no comment', '*star', 'two\nlines\n', '', '<<', '{{ x }}']) {
    await config.update({ agents: { default: { system } } }, config)
    assert.equal(config.current.agents['default']?.system, system)
  }
})

test('a change inside what an alias repeats stays where it was meant', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'agents:\n  a: &base { model: x/y, system: hello }\n  b: *base\n' })
  const { config } = await openIn(t, home)
  await config.update({ agents: { b: { model: 'x/z' } } }, config)
  assert.deepEqual(config.current.agents, { a: { model: 'x/y', system: 'hello' }, b: { model: 'x/z', system: 'hello' } })
})

test('a change that would spread through an anchor is refused', async (t) => {
  const text = 'agents:\n  a: &base { model: x/y }\n  b: *base\n'
  const home = await makeHome(t, { 'gateway.yaml': text })
  const { config } = await openIn(t, home)
  await assert.rejects(config.update({ agents: { a: { model: 'x/z' } } }, config), refused('invalid_request', /anchor/))
  assert.equal(await readFile(join(home, 'gateway.yaml'), 'utf8'), text)
})

test('a redacted value sent back means as it is', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1, auth: { token: the-secret-token } }\n' })
  const { config } = await openIn(t, home)
  await config.update({ ...config.shown(), gateway: { ...(config.shown()['gateway'] as object), port: 2 } }, config)
  assert.equal(config.current.gateway.port, 2)
  assert.equal(config.current.gateway.auth.token, 'the-secret-token')
  await assert.rejects(config.update({ gateway: { auth: { password: '<redacted>' } } }, config), refused('invalid_request', /stands for a secret/))
})

test('a wrong value is not written where something above the file covers it, and other changes are', async (t) => {
  const yaml = 'gateway: { port: a door, auth: { token: "${NOT_SET}" } }\n'
  const home = await makeHome(t, { 'gateway.yaml': yaml })
  const { config } = await openIn(t, home, { env: { ISOPOD_TOKEN: 'from the outside' }, flags: { port: 0 } })
  await assert.rejects(config.update({ gateway: { port: 'a wall' } }, config), refused('invalid_request', /gateway\.port/))
  await assert.rejects(config.update({ gateway: { auth: { token: 12 } } }, config), refused('invalid_request', /gateway\.auth\.token/))
  assert.equal(await readFile(join(home, 'gateway.yaml'), 'utf8'), yaml)
  await config.update({ gateway: { bind: 'all' } }, config)
  await config.update({ gateway: { port: 80 } }, config)
  assert.equal(config.current.gateway.port, 0)
  assert.match(await readFile(join(home, 'gateway.yaml'), 'utf8'), /port: 80/)
})
