import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { holderOf, locateHome, openHome } from '../../kernel/home.ts'
import { folder, handClock, outcome } from './place.ts'

/** Another process that takes a home and says so, or ends. */
function holder(t: TestContext, home: string) {
  const script = fileURLToPath(new URL('./holder.ts', import.meta.url))
  const child = spawn(process.execPath, [script], { env: { ISOPOD_HOME: home }, stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => child.kill('SIGKILL'))
  return child
}

/** Another process that holds a home. */
async function holding(t: TestContext, home: string): Promise<ChildProcess> {
  const child = holder(t, home)
  await once(child.stdout, 'data')
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

test('the home is ISOPOD_HOME, or .isopod in the user\'s folder where that is unset or empty', () => {
  const at = (given?: string) => locateHome({ ISOPOD_HOME: given }, '/users/ann').path
  assert.deepEqual([at(), at(''), at('  ')], ['/users/ann/.isopod', '/users/ann/.isopod', '/users/ann/.isopod'])
  assert.deepEqual([at('/srv/isopod'), at('~/other'), at('~'), at('here')], ['/srv/isopod', '/users/ann/other', '/users/ann', resolve('here')])
})

test('a new home is for its owner alone, with a folder for each thing', async (t) => {
  const path = join(folder(t), 'deep', 'home')
  const home = await openHome({ ISOPOD_HOME: path }, { clock: handClock() })
  t.after(() => home.release())
  const mode = (file: string) => statSync(file).mode & 0o777
  assert.deepEqual([path, home.logs, home.secrets, home.plugins].map(mode), [0o700, 0o700, 0o700, 0o700])
  assert.deepEqual([home.lock, home.holder].map(mode), [0o600, 0o600])
  assert.deepEqual(home.warnings, [])
})

test('a home that others can look into is used with a warning, and its secrets are closed', async (t) => {
  const path = folder(t)
  mkdirSync(join(path, 'secrets'))
  for (const open of [path, join(path, 'secrets')]) chmodSync(open, 0o755)
  const home = await openHome({ ISOPOD_HOME: path }, { clock: handClock() })
  t.after(() => home.release())
  assert.deepEqual(home.warnings, [`Other users of this machine can look into ${path}. If that is not meant: chmod 700 ${path}`])
  assert.deepEqual([statSync(path).mode & 0o777, statSync(home.secrets).mode & 0o777], [0o755, 0o700])
})

test('a home that cannot be made is named, with what to do', async (t) => {
  const file = join(folder(t), 'file')
  writeFileSync(file, '')
  for (const path of [file, join(file, 'home')])
    await assert.rejects(openHome({ ISOPOD_HOME: path }, { clock: handClock() }), {
      name: 'HomeError', reason: 'unwritable', message: new RegExp(`^The home ${path} cannot be used .*or set ISOPOD_HOME to one\\.$`),
    })
})

test('a second gateway of the same home is refused and told who the first is', async (t) => {
  const path = folder(t)
  const child = await holding(t, path)
  const end = await outcome(openHome({ ISOPOD_HOME: path }, { clock: handClock() }))
  const who = `A gateway \\(process ${child.pid}, since 20.*Z, port 18789\\)`
  assert.match('message' in end ? end.message : '', new RegExp(`^${who} already runs with the home ${path}\\. Stop it, or set`))
  const found = holderOf(locateHome({ ISOPOD_HOME: path }))
  assert.deepEqual(typeof found === 'object' && [found.pid, found.port], [child.pid, 18789])
})

test('the home of a gateway that was killed is free at once, though its traces are there', async (t) => {
  const path = folder(t)
  await killed(await holding(t, path))
  assert.ok(existsSync(join(path, 'gateway.holder.json')))
  assert.equal(holderOf(locateHome({ ISOPOD_HOME: path })), undefined)
  const home = await openHome({ ISOPOD_HOME: path }, { clock: handClock() })
  t.after(() => home.release())
  const found = holderOf(home)
  assert.equal(typeof found === 'object' && found.pid, process.pid)
})

test('neither an old lock file nor a holder that reads like another process lets a second gateway in', async (t) => {
  const path = folder(t)
  await holding(t, path)
  utimesSync(join(path, 'gateway.lock'), 0, 0)
  writeFileSync(join(path, 'gateway.holder.json'), '{"pid":1,"since":1e99}')
  await assert.rejects(openHome({ ISOPOD_HOME: path }, { clock: handClock() }), { reason: 'held', message: /^Another gateway already runs/ })
  assert.equal(holderOf(locateHome({ ISOPOD_HOME: path })), 'unknown')
})

test('a home is held against the own process too, until it is released', async (t) => {
  const path = folder(t)
  const clock = handClock()
  const first = await openHome({ ISOPOD_HOME: path }, { clock })
  first.announce(4711)
  await assert.rejects(openHome({ ISOPOD_HOME: path }, { clock }), { reason: 'held', holder: { pid: process.pid, since: clock.now(), port: 4711 } })
  const child = holder(t, path)
  assert.deepEqual(await Promise.race([once(child, 'exit'), once(child.stdout, 'data')]), [1, null])
  first.release()
  first.release()
  assert.ok(!readdirSync(path).includes('gateway.holder.json'))
  const second = await openHome({ ISOPOD_HOME: path }, { clock })
  second.release()
})

test('who looks whether a home is held is not in the way of who takes it', async (t) => {
  const path = folder(t)
  assert.equal(holderOf(locateHome({ ISOPOD_HOME: path })), undefined)
  const home = await openHome({ ISOPOD_HOME: path }, { clock: handClock() })
  for (let look = 0; look < 20; look++) assert.notEqual(holderOf(home), undefined)
  await assert.rejects(openHome({ ISOPOD_HOME: path }, { clock: handClock() }), { reason: 'held' })
  home.release()
  assert.equal(holderOf(home), undefined)
})
