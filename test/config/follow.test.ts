import assert from 'node:assert/strict'
import { mkdir, readlink, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Config } from '../../kernel/config/schema.ts'
import { watchConfig } from '../../kernel/config/watch.ts'
import { HandClock, makeHome, openIn } from './home.ts'
import type { Opened } from './home.ts'

/** Waits until the change on disk has been noticed, and then until it has been looked at. */
async function noticed({ config, clock }: Opened): Promise<void> {
  await clock.settling()
  clock.elapse()
  await config.reload() // takes its turn behind the look, and finds nothing new
}

const port = ({ config }: Opened) => config.current.gateway.port

test('a changed file takes over and whoever follows is called once', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }' })
  const opened = await openIn(t, home)
  const calls: [Config, Config][] = []
  opened.config.onChange((config, previous) => calls.push([config, previous]))
  const before = opened.config.current
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 2 }')
  await noticed(opened)
  assert.equal(port(opened), 2)
  assert.deepEqual(calls.map(([config, previous]) => [config.gateway.port, previous.gateway.port]), [[2, 1]])
  assert.equal(before.gateway.port, 1)
})

test('a broken file never takes over, and says line and column', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }' })
  const opened = await openIn(t, home)
  const good = opened.config.revision
  let called = 0
  opened.config.onChange(() => called++)
  await writeFile(join(home, 'gateway.yaml'), 'gateway:\n  port: 2\n  bind: [\n')
  await noticed(opened)
  assert.equal(port(opened), 1)
  assert.equal(called, 0)
  assert.equal(opened.config.revision, good)
  const [problem] = opened.config.problems
  assert.equal(problem?.severity, 'error')
  assert.equal(typeof problem?.line, 'number')
  assert.equal(typeof problem?.column, 'number')
  const lines = opened.log.recent({ level: 'warn' }).entries.map(({ message }) => message)
  assert.match(lines[0] ?? '', /gateway\.yaml:\d+:\d+: This is not valid YAML/)
  assert.equal(lines.at(-1), 'The config file is not in force: the last good config stays')
})

test('a wrong value keeps the whole file out of force until it is mended', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }' })
  const opened = await openIn(t, home)
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 2, bind: nowhere }')
  await noticed(opened)
  assert.equal(port(opened), 1)
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 2 }')
  await noticed(opened)
  assert.equal(port(opened), 2)
  assert.deepEqual(opened.config.problems, [])
})

test('an unresolved credential does not replace one that works', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { auth: { token: good-token } }' })
  const opened = await openIn(t, home)
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { auth: { token: "${GONE}" } }')
  await noticed(opened)
  assert.equal(opened.config.current.gateway.auth.token, 'good-token')
})

test('a file replaced by a rename is noticed, again and again', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }' })
  const opened = await openIn(t, home)
  for (const next of [2, 3, 4]) {
    await writeFile(join(home, '.gateway.yaml.swp'), `gateway: { port: ${next} }`)
    await rename(join(home, '.gateway.yaml.swp'), join(home, 'gateway.yaml'))
    await noticed(opened)
    assert.equal(port(opened), next)
  }
})

test('an editor that empties the file before it writes is waited for', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }' })
  const opened = await openIn(t, home)
  const ports: number[] = []
  opened.config.onChange((config) => ports.push(config.gateway.port))
  await truncate(join(home, 'gateway.yaml'))
  await opened.clock.settling()
  const again = opened.clock.settlingAgain()
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 2 }')
  await again
  assert.equal(opened.clock.waiting, 1)
  await noticed(opened)
  assert.deepEqual(ports, [2])
})

test('a file that stays empty leaves the last good config in force', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }' })
  const opened = await openIn(t, home)
  await truncate(join(home, 'gateway.yaml'))
  await noticed(opened)
  assert.equal(port(opened), 1)
  assert.equal(opened.config.problems[0]?.message, 'The config file is empty')
})

test('a file that is removed leaves the last good config in force, with one warning, and may come back', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }' })
  const opened = await openIn(t, home)
  await rm(join(home, 'gateway.yaml'))
  await noticed(opened)
  opened.clock.tick()
  await opened.config.reload()
  assert.equal(port(opened), 1)
  const warnings = opened.log.recent({ level: 'warn' }).entries.filter(({ message }) => message.includes('is gone'))
  assert.equal(warnings.length, 1)
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 2 }')
  await noticed(opened)
  assert.equal(port(opened), 2)
})

test('a file made after the start is noticed', async (t) => {
  const home = await makeHome(t)
  const opened = await openIn(t, home)
  await writeFile(join(home, 'config.yml'), 'gateway: { port: 7 }')
  await noticed(opened)
  assert.equal(port(opened), 7)
})

test('a change that a watch cannot see is found by looking', async (t) => {
  const home = await makeHome(t)
  const elsewhere = await makeHome(t, { 'real.yaml': 'gateway: { port: 1 }' })
  await symlink(join(elsewhere, 'real.yaml'), join(home, 'gateway.yaml'))
  const opened = await openIn(t, home)
  await writeFile(join(elsewhere, 'real.yaml'), 'gateway: { port: 2 }')
  opened.clock.tick()
  await opened.config.reload()
  assert.equal(port(opened), 2)
  assert.equal(await readlink(join(home, 'gateway.yaml')), join(elsewhere, 'real.yaml'))
})

test('a home made after the start is found by looking', async (t) => {
  const home = join(await makeHome(t), 'later')
  const opened = await openIn(t, home)
  await mkdir(home)
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 3 }')
  opened.clock.tick()
  await opened.config.reload()
  assert.equal(port(opened), 3)
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 4 }')
  await noticed(opened)
  assert.equal(port(opened), 4)
})

test('a changed comment is a new revision and no change', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }' })
  const opened = await openIn(t, home)
  let called = 0
  opened.config.onChange(() => called++)
  const before = opened.config.revision
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 1 } # the usual')
  await noticed(opened)
  assert.notEqual(opened.config.revision, before)
  assert.equal(called, 0)
})

test('a listener that throws keeps nobody else from hearing', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }' })
  const opened = await openIn(t, home)
  let heard = 0
  opened.config.onChange(() => assert.fail('I cannot'))
  const undo = opened.config.onChange(() => heard++)
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 2 }')
  await noticed(opened)
  undo()
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 3 }')
  await noticed(opened)
  assert.equal(heard, 1)
  assert.equal(opened.log.recent({ level: 'error' }).entries.length, 2)
})

test('one look at a time, and none after the end', async (t) => {
  const clock = new HandClock()
  let looks = 0
  const gates: (() => void)[] = []
  const look = () => new Promise<void>((resolve) => {
    looks++
    gates.push(resolve)
  })
  const stop = watchConfig({ home: await makeHome(t), clock, look })
  clock.tick()
  clock.tick()
  clock.tick()
  assert.equal(looks, 1)
  gates.shift()?.()
  await setImmediate()
  assert.equal(looks, 2)
  clock.tick()
  stop()
  gates.shift()?.()
  await setImmediate()
  assert.equal(looks, 2)
})

test('after close nothing is followed', async (t) => {
  const home = await makeHome(t, { 'gateway.yaml': 'gateway: { port: 1 }' })
  const opened = await openIn(t, home)
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { port: 2 }')
  await opened.clock.settling()
  opened.config.close()
  opened.clock.elapse()
  opened.clock.tick()
  assert.equal(port(opened), 1)
})
