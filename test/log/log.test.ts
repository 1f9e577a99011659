import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLog } from '../../kernel/log.ts'
import type { Console, Log, LogOptions } from '../../kernel/log.ts'
import { HandClock } from '../config/home.ts'

/** A log whose console is a list of what was written to it. */
function logTo(lines: string[], options: LogOptions & { terminal?: boolean; colour?: boolean } = {}): Log {
  const { terminal = false, colour = false, ...rest } = options
  const console: Console = { isTerminal: terminal, colour, write: (text) => lines.push(text) }
  return openLog({ clock: new HandClock(), console, ...rest })
}

const only = (lines: readonly string[]): { [name: string]: unknown } => {
  assert.equal(lines.length, 1)
  return JSON.parse(lines[0] ?? '') as { [name: string]: unknown }
}

test('a line is JSON with level, time, message and facts', () => {
  const lines: string[] = []
  logTo(lines).info('hello', { a: 1, b: { c: [true] } })
  assert.deepEqual(only(lines), { level: 'info', time: '2027-01-15T08:00:00.000Z', a: 1, b: { c: [true] }, message: 'hello' })
  assert.ok(lines[0]?.endsWith('}\n'))
})

test('lines below the level are not written, and the level may change while running, for children too', () => {
  const lines: string[] = []
  const log = logTo(lines, { level: 'warn' })
  const child = log.child({ plugin: 'chat' })
  child.info('no')
  child.warn('yes')
  log.level = 'debug'
  child.debug('now')
  assert.deepEqual(lines.map((line) => (JSON.parse(line) as { message: string }).message), ['yes', 'now'])
  assert.equal(child.level, 'debug')
})

test('a child\'s name stands on its lines and cannot be taken by a fact', () => {
  const lines: string[] = []
  logTo(lines).child({ plugin: 'weather', call: 7 }).info('x', { plugin: 'kernel', level: 'fatal', time: 0, message: 'y', call: 8 })
  assert.deepEqual(only(lines), {
    level: 'info', time: '2027-01-15T08:00:00.000Z', plugin: 'weather', call: 7,
    plugin_: 'kernel', level_: 'fatal', time_: 0, message_: 'y', call_: 8, message: 'x',
  })
})

test('an error among the facts is written with stack and cause', () => {
  const lines: string[] = []
  logTo(lines).error('failed', { error: new Error('outer', { cause: new Error('inner') }) })
  const { error } = only(lines) as { error: { message: string; stack: string; cause: { message: string } } }
  assert.match(error.message, /outer/)
  assert.match(error.stack, /log\.test\.ts/)
  assert.equal(error.cause.message, 'inner')
})

test('nothing that is handed over makes it throw', () => {
  const lines: string[] = []
  const log = logTo(lines)
  const circle: { [name: string]: unknown } = {}
  circle['self'] = circle
  log.info('circle', circle)
  log.info('bigint', { n: 10n })
  log.info('toJSON', { x: { toJSON: () => assert.fail('no') } })
  log.info('getter', { get x() { return assert.fail('no') } })
  log.info('proxy', new Proxy({}, { ownKeys: () => assert.fail('no') }))
  log.info('function', { f: () => {}, s: Symbol('s'), u: undefined, n: Number.NaN, d: new Date(Number.NaN) })
  log.info('lone surrogate \ud800', { text: '\u2028\ud800' })
  log.info(undefined as unknown as string, null as unknown as object)
  for (const line of lines) JSON.parse(line)
  assert.equal(lines.length, 8)
})

test('fields that name a secret are hidden at any depth, counts and flags are not', () => {
  const lines: string[] = []
  logTo(lines).info('x', {
    authorization: 'a1', headers: { Cookie: 'a2', 'X-Api-Key': 'a3', 'set-cookie': ['a4'] }, deep: [{ list: [{ botToken: 'a5', password: 12345 }] }],
    api_key: 'a6', apiKey: { x: 'a7' }, client_secret: 'a8', privateKey: 'a9',
    usage: { promptTokens: 7, totalTokens: 9, tokens: 3 }, token: true, secret: null,
  })
  const line = only(lines)
  for (let number = 1; number <= 9; number++) assert.ok(!lines[0]?.includes(`a${number}`), `a${number}`)
  assert.ok(!lines[0]?.includes('12345'))
  assert.deepEqual([line['usage'], line['token'], line['secret']], [{ promptTokens: 7, totalTokens: 9, tokens: 3 }, true, null])
})

test('credentials in texts are hidden by their form', () => {
  const lines: string[] = []
  const log = logTo(lines)
  log.info('GET /ws?token=abc123&x=1 and ?PASSWORD=hunter2 and /v1?api_key=k-1&key=k-2')
  log.info('sent Authorization: Bearer eyJhbGciOi.J9-x_y and Basic dXNlcjpwYXNz0A==')
  log.info('proxy http://user:pa55@host:8080/path', { error: new Error('fetch https://u:p4ss@h/ failed') })
  log.info('store redis://:p6ss@host:6379/0')
  log.info('Basic authentication is off, token=none needed')
  const text = lines.join('')
  for (const secret of ['abc123', 'hunter2', 'k-1', 'k-2', 'eyJ', 'dXNl', 'pa55', 'p4ss', 'p6ss']) assert.ok(!text.includes(secret), secret)
  assert.match(text, /GET \/ws\?token=<redacted>&x=1/)
  assert.match(text, /Basic authentication is off/)
})

test('a text that is nearly a credential a million times over is written at once', () => {
  // Tried from each of its characters anew, either would take many minutes.
  const lines: string[] = []
  const log = logTo(lines)
  for (const text of [`://${':'.repeat(1_000_000)}`, `Bearer ${'+'.repeat(1_000_000)}`]) log.info('quoted', { text })
  assert.deepEqual(lines.map((line) => (JSON.parse(line) as { message: string }).message), ['quoted', 'quoted'])
})

test('a live secret appears nowhere in any line: not in messages, keys, numbers, stacks, URLs, names or bindings', () => {
  const lines: string[] = []
  const log = logTo(lines)
  const secrets = ['s3cret-value', 'with "quotes" and \\ and \n', 'ünïcödé/+&=', '20270115', 'a.*[b', '${ENV}', '<redacted-not>']
  for (const secret of secrets) log.hide(secret)
  for (const secret of secrets) {
    const error = Object.assign(new Error(secret), { code: secret })
    const url = `/?q=${encodeURIComponent(secret)}`
    log.child({ plugin: secret }).info(`before${secret}after`, { [secret]: secret, list: [secret], deep: { a: { b: secret } }, error, url })
  }
  for (const secret of secrets) log.info(`before${secret}after`)
  log.info('number', { pin: 20270115 })
  const entries = lines.map((line) => ({ ...(JSON.parse(line) as { [name: string]: unknown }), time: '' }))
  for (const secret of secrets) {
    for (const entry of entries) assert.ok(!strings(entry).some((text) => text.includes(secret)), secret)
    assert.ok(!lines.join('').includes(encodeURIComponent(secret)), secret)
  }
  assert.equal(Reflect.get(entries[0] ?? {}, 'message'), 'before<redacted>after')
  assert.equal(Reflect.get(entries.at(-1) ?? {}, 'pin'), '<redacted>')
})

test('a secret that looks like a date spoils no line\'s time', () => {
  const lines: string[] = []
  const log = logTo(lines)
  log.hide('2027')
  log.info('x 2027')
  assert.deepEqual(only(lines), { level: 'info', time: '2027-01-15T08:00:00.000Z', message: 'x <redacted>' })
})

test('a secret that became known too late is hidden when the past is read', () => {
  const log = openLog({ console: false })
  log.info('the word is swordfish')
  log.hide('swordfish')
  assert.equal(log.recent().entries[0]?.message, 'the word is <redacted>')
})

test('a secret hides from the file\'s other children too, and an empty one hides nothing', () => {
  const log = openLog({ console: false })
  const child = log.child({ plugin: 'a' })
  child.hide('swordfish')
  child.hide('')
  log.info('swordfish or not')
  assert.equal(log.recent().entries[0]?.message, '<redacted> or not')
})

test('a line has a bound', () => {
  const lines: string[] = []
  logTo(lines).info('m'.repeat(10_000), { text: 'x'.repeat(1_000_000) })
  assert.ok((lines[0]?.length ?? 0) < 10_000)
  assert.ok(Number(only(lines)['shortened']) > 1_000_000)
})

test('the newest thousand lines can be read, by level, plugin, number and limit', () => {
  const log = openLog({ level: 'debug', console: false })
  const chat = log.child({ plugin: 'chat' })
  for (let number = 1; number <= 1_200; number++) (number % 2 ? log : chat)[number % 100 === 0 ? 'warn' : 'debug'](`line ${number}`)
  assert.equal(log.recent({ limit: 5_000 }).entries.length, 1_000)
  assert.deepEqual(log.recent({ limit: 2 }).entries.map(({ seq, message }) => [seq, message]), [[1_199, 'line 1199'], [1_200, 'line 1200']])
  assert.deepEqual(log.recent({ level: 'warn', limit: 2 }).entries.map(({ seq }) => seq), [1_100, 1_200])
  assert.deepEqual(log.recent({ plugin: 'chat', after: 1_190 }).entries.map(({ seq }) => seq), [1_192, 1_194, 1_196, 1_198, 1_200])
  assert.equal(log.recent({ plugin: 'nobody' }).entries.length, 0)
})

test('reading on from `next` tells every line once', () => {
  const log = openLog({ console: false })
  for (let number = 1; number <= 25; number++) log.info(`line ${number}`)
  const told: string[] = []
  for (let page = log.recent({ after: 0, limit: 10 }); page.entries.length > 0; page = log.recent({ after: page.next, limit: 10 })) {
    told.push(...page.entries.map(({ message }) => message))
  }
  assert.deepEqual(told, Array.from({ length: 25 }, (_, index) => `line ${index + 1}`))
})

test('on a terminal a line is for people, elsewhere JSON, and config may say otherwise', () => {
  const pretty: string[] = []
  logTo(pretty, { terminal: true }).child({ plugin: 'chat' }).warn('took long', { ms: 12, who: 'a b' })
  assert.match(pretty[0] ?? '', /^\d\d:\d\d:\d\d warn  chat took long ms=12 who="a b"\n$/)
  const forced: string[] = []
  logTo(forced, { pretty: true }).info('x')
  assert.match(forced[0] ?? '', / info  x\n$/)
  const plain: string[] = []
  logTo(plain, { terminal: true, pretty: false }).info('x')
  JSON.parse(plain[0] ?? '')
})

test('a line for people shows an error\'s stack and hides secrets', () => {
  const lines: string[] = []
  const log = logTo(lines, { pretty: true })
  log.hide('swordfish')
  log.error('it broke', { error: new Error('swordfish') })
  assert.match(lines[0] ?? '', /error it broke\n {4}Error: <redacted>\n {4,}at /)
})

test('what a stranger put into a message cannot touch the terminal', () => {
  const lines: string[] = []
  logTo(lines, { pretty: true, colour: false }).info('a\u001b[2Jb\nc\u202ed', { '\u001bkey': '\u009bx' })
  assert.ok(!/(?!\n)[\p{Cc}\u202e]/u.test(lines[0] ?? ''))
  assert.equal(lines[0]?.split('\n').length, 2)
})

test('colour is used only where the console has it', () => {
  const lines: string[] = []
  logTo(lines, { terminal: true, colour: true }).info('x')
  assert.ok(lines[0]?.includes('\u001b['))
})

function strings(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)]
  return Object.entries(value).flatMap(([key, item]) => [key, ...strings(item)])
}
