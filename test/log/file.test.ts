import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { openLog } from '../../kernel/log.ts'
import type { Log, LogOptions } from '../../kernel/log.ts'
import { HandClock, makeHome } from '../config/home.ts'

interface Filed {
  readonly log: Log
  readonly file: string
  readonly directory: string
  readonly clock: HandClock
  readonly lines: (name?: string) => Promise<string[]>
}

async function logInFile(t: TestContext, options: LogOptions = {}): Promise<Filed> {
  const directory = join(await makeHome(t), 'logs')
  const file = join(directory, 'gateway.log')
  const clock = new HandClock()
  const log = openLog({ file, console: false, clock, ...options })
  t.after(() => log.close())
  const lines = async (name = 'gateway.log') => {
    const text = await readFile(join(directory, name), 'utf8')
    return text.split('\n').filter((line) => line !== '').map((line) => (JSON.parse(line) as { message: string }).message)
  }
  return { log, file, directory, clock, lines }
}

test('lines reach a file that only its owner can read', async (t) => {
  const { log, file, directory, lines } = await logInFile(t)
  for (let number = 0; number < 1_000; number++) log.info(`line ${number}`)
  await log.flush()
  assert.deepEqual(await lines(), Array.from({ length: 1_000 }, (_, number) => `line ${number}`))
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
})

test('a later start goes on in the same file', async (t) => {
  const { log, file, lines } = await logInFile(t)
  log.info('first')
  await log.close()
  const second = openLog({ file, console: false })
  second.info('second')
  await second.close()
  assert.deepEqual(await lines(), ['first', 'second'])
})

test('half a line of a killed process does not spoil the next', async (t) => {
  const { log, file, directory } = await logInFile(t)
  await mkdir(directory)
  await writeFile(file, '{"level":"info","mess')
  log.info('whole')
  await log.flush()
  const [half, whole] = (await readFile(file, 'utf8')).split('\n')
  assert.equal(half, '{"level":"info","mess')
  assert.equal((JSON.parse(whole ?? '') as { message: string }).message, 'whole')
})

test('a file that has grown to its bound is rotated, and five are kept', async (t) => {
  const { log, directory, lines } = await logInFile(t, { rotateBytes: 200 })
  for (let number = 1; number <= 9; number++) {
    log.info(`line ${number}`, { padding: 'x'.repeat(200) })
    await log.flush()
  }
  assert.deepEqual((await readdir(directory)).sort(), [1, 2, 3, 4].map((number) => `gateway.log.${number}`))
  log.info('newest')
  await log.flush()
  assert.deepEqual((await readdir(directory)).sort(), ['gateway.log', ...[1, 2, 3, 4].map((number) => `gateway.log.${number}`)])
  assert.deepEqual(await lines(), ['newest'])
  assert.deepEqual(await lines('gateway.log.1'), ['line 9'])
  assert.deepEqual(await lines('gateway.log.4'), ['line 6'])
})

test('a file that somebody moved or removed is made again', async (t) => {
  const { log, file, directory, lines } = await logInFile(t)
  log.info('one')
  await log.flush()
  await rename(file, `${file}.old`)
  log.info('two')
  await log.flush()
  assert.deepEqual(await lines(), ['two'])
  await rm(directory, { recursive: true })
  log.info('three')
  await log.flush()
  assert.deepEqual(await lines(), ['three'])
})

test('a full disk costs lines and nothing else, and what waited is written when there is room', async (t) => {
  const { log, file, directory, clock, lines } = await logInFile(t)
  await mkdir(directory)
  await symlink('/dev/full', file) // every write to it fails with ENOSPC
  log.info('waits')
  await log.flush()
  log.info('waits too')
  await rm(file)
  clock.elapse()
  await log.flush()
  assert.deepEqual(await lines(), ['waits', 'waits too'])
})

test('what does not fit into memory while the disk is full is counted', async (t) => {
  const { log, file, directory, clock, lines } = await logInFile(t)
  await mkdir(directory)
  await symlink('/dev/full', file)
  for (let number = 0; number < 300; number++) log.info(`line ${number}`, { padding: 'x'.repeat(20_000) })
  await log.flush()
  await rm(file)
  clock.elapse()
  await log.flush()
  const written = await lines()
  const lost = Number(/^(\d+) lines were lost/.exec(written.at(-1) ?? '')?.[1])
  assert.ok(lost > 50)
  assert.equal(written.length - 1 + lost, 300)
})

test('a log that cannot have its file goes on without', async (t) => {
  const home = await makeHome(t, { logs: 'a file where the directory should be' })
  const seen: string[] = []
  const log = openLog({ file: join(home, 'logs', 'gateway.log'), clock: new HandClock(), console: { isTerminal: false, colour: false, write: (text) => seen.push(text) } })
  t.after(() => log.close())
  log.info('still here')
  await log.flush()
  assert.equal(seen.length, 1)
  assert.equal(log.recent().entries.length, 1)
})

test('a secret never reaches the file', async (t) => {
  const { log, file } = await logInFile(t)
  log.hide('swordfish')
  log.child({ plugin: 'x' }).error('swordfish', { error: new Error('swordfish'), url: '/?token=unknown-one' })
  await log.flush()
  const text = await readFile(file, 'utf8')
  assert.ok(!text.includes('swordfish') && !text.includes('unknown-one'))
})

test('settings may come later: the first file gets what was logged before, another one only what comes', async (t) => {
  const directory = await makeHome(t)
  const log = openLog({ console: false })
  t.after(() => log.close())
  const messages = async (name: string) => [...(await readFile(join(directory, name), 'utf8')).matchAll(/"message":"(\w+)"/g)].map(([, message]) => message)
  log.info('early')
  log.adjust({ level: 'warn', file: join(directory, 'a.log') })
  log.info('quiet')
  log.warn('first')
  await log.flush()
  log.adjust({ level: 'info', file: join(directory, 'b.log') })
  log.info('second')
  await log.flush()
  log.adjust({})
  log.info('third')
  await log.flush()
  assert.deepEqual(await messages('a.log'), ['early', 'first'])
  assert.deepEqual(await messages('b.log'), ['second'])
})

test('after close lines only reach the memory', async (t) => {
  const { log, lines } = await logInFile(t)
  log.info('before')
  await log.close()
  log.info('after')
  await log.flush()
  assert.deepEqual(await lines(), ['before'])
  assert.equal(log.recent().entries.at(-1)?.message, 'after')
})

test('the last lines of a process that ends at once are in its file and on its error output', async (t) => {
  const home = await makeHome(t)
  const file = join(home, 'gateway.log')
  const program = `
    import { openLog } from ${JSON.stringify(new URL('../../kernel/log.ts', import.meta.url).href)}
    const log = openLog({ file: ${JSON.stringify(file)} })
    log.error('the last words')
    process.exit(3)`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--disable-warning=ExperimentalWarning', '-e', program], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 3)
  assert.match(await readFile(file, 'utf8'), /"message":"the last words"\}\n$/)
  assert.match(errors, /"message":"the last words"\}\n$/)
})
