/** Reading the log further back than memory goes: from the files it was rotated to, and from before the last restart. */
import assert from 'node:assert/strict'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openLog, type Log, type LogOptions, type LogPage } from '../../kernel/log.ts'
import { LINES_KEPT } from '../../kernel/log/ring.ts'
import { HandClock, makeHome } from '../config/home.ts'

function openAt(t: TestContext, home: string, options: LogOptions = {}): Log {
  const log = openLog({ file: join(home, 'gateway.log'), console: false, level: 'debug', clock: new HandClock(), ...options })
  t.after(() => log.close())
  return log
}

function say(log: Log, from: number, to: number): void {
  for (let number = from; number <= to; number++) log[number % 100 === 0 ? 'warn' : 'info'](`line ${number}`)
}

const numbers = ({ entries }: LogPage): number[] => entries.map(({ message }) => Number(message.slice(5)))
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)

test('lines that have left memory are read from the file', async (t) => {
  const log = openAt(t, await makeHome(t))
  say(log, 1, LINES_KEPT + 500)
  assert.deepEqual(numbers(await log.read({ after: 0, limit: 3 })), [1, 2, 3])
  assert.deepEqual(numbers(await log.read({ before: 499, limit: 3 })), [496, 497, 498])
  assert.deepEqual(numbers(await log.read({ before: 503, limit: 5 })), range(498, 502), 'across the edge of memory')
  assert.deepEqual(numbers(await log.read({ after: 498, limit: 5 })), range(499, 503))
  assert.deepEqual(numbers(await log.read({ after: 10, before: 13 })), [11, 12])
})

test('lines of an earlier process are found, and the numbers go on where it ended', async (t) => {
  const home = await makeHome(t)
  const earlier = openAt(t, home)
  say(earlier, 1, 30)
  await earlier.close()
  // As at a start: something is said before the config has named the file.
  const log = openAt(t, home, { file: undefined })
  log.info('line 31')
  log.adjust({ level: 'debug', file: join(home, 'gateway.log') })
  say(log, 32, 40)
  assert.deepEqual(numbers(await log.read({ limit: 1_000 })), range(1, 40))
  assert.deepEqual((await log.read({ limit: 1_000 })).entries.map(({ seq }) => seq), range(1, 40))
  assert.deepEqual(numbers(await log.read({ after: 29, limit: 3 })), [30, 31, 32])
})

test('files that were rotated away are read on through, each line once', async (t) => {
  const log = openAt(t, await makeHome(t), { rotateBytes: 30_000 })
  const total = LINES_KEPT + 300
  for (let first = 1; first <= total; first += 100) {
    say(log, first, first + 99)
    await log.flush()
  }
  const told: number[] = []
  for (let page = await log.read({ after: 0, limit: 97 }); page.entries.length > 0; page = await log.read({ after: page.next, limit: 97 })) told.push(...numbers(page))
  assert.deepEqual(told, range(told[0] ?? 0, total))
  assert.ok((told[0] ?? 0) < 300, `${told[0]}`)
  assert.deepEqual(numbers(await log.read({ level: 'warn', before: 301, limit: 2 })), [200, 300])
})

test('lines are filtered by level and by plugin, whatever its version, in memory and in files', async (t) => {
  const log = openAt(t, await makeHome(t))
  log.child({ plugin: 'chat 1.0.0' }).warn('line 1')
  log.child({ plugin: 'chatter 1.0.0' }).warn('line 2')
  log.info('line 3', { said: 'chat "level":"error"' })
  say(log, 4, LINES_KEPT + 10)
  log.child({ plugin: 'chat 1.1.0' }).error('line 9999')
  assert.deepEqual(numbers(await log.read({ plugin: 'chat' })), [1, 9999])
  assert.deepEqual(numbers(await log.read({ plugin: 'chat', level: 'error' })), [9999])
  assert.deepEqual(numbers(await log.read({ level: 'error' })), [9999])
  assert.deepEqual((await log.read({ plugin: 'nobody' })).entries, [])
})

test('a secret that became known later is hidden in what is read from the file, too', async (t) => {
  const log = openAt(t, await makeHome(t))
  log.info('the word is swordfish')
  say(log, 2, LINES_KEPT + 2)
  log.hide('swordfish')
  assert.equal((await log.read({ after: 0, limit: 1 })).entries[0]?.message, 'the word is <redacted>')
})

test('half a line, and lines that are none of ours, are passed over', async (t) => {
  const home = await makeHome(t, { 'gateway.log': '{"seq":7,"level":"info","time":"2027-01-15T08:00:00.000Z","message":"line 7"}\nhello\n{"seq":8,\n\u0000\n{"level":"info","message":"line 0"}\n{"seq":9,"lev' })
  await writeFile(join(home, 'gateway.log.1'), `${'x'.repeat(3_000_000)}\n{"seq":6,"level":"info","time":"2027-01-15T08:00:00.000Z","message":"line 6"}\n`)
  const log = openAt(t, home)
  log.info('line 10')
  assert.deepEqual(numbers(await log.read()), [6, 7, 10])
  assert.deepEqual(numbers(await log.read({ after: 6 })), [7, 10])
  assert.equal(log.recent().entries[0]?.seq, 10, 'the number of what was cut off is not given twice')
})

test('a log whose file cannot be read tells what is in memory', async (t) => {
  const home = await makeHome(t)
  await appendFile(join(home, 'not-a-directory'), '')
  const log = openAt(t, home, { file: join(home, 'not-a-directory', 'gateway.log') })
  say(log, 1, LINES_KEPT + 5)
  assert.deepEqual(numbers(await log.read({ after: 0, limit: 2 })), [6, 7])
})

test('what a plugin says of `seq` cannot pass for the line\'s own number', async (t) => {
  const log = openAt(t, await makeHome(t))
  log.info('line 1', { seq: 99 })
  const [entry] = (await log.read()).entries
  assert.deepEqual([entry?.seq, entry?.facts], [1, { seq_: 99 }])
})
