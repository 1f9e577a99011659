/** The built-in tools, as an agent calls them. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isRpcError, type Json } from '@isopod/plugin-api'
import plugin from '../index.ts'
import { contributionsOf } from '../../../fixtures/contributions.ts'

const tools = contributionsOf(plugin)
const calculate = (expression: string): Promise<Json> => tools.useTool('calculator', { expression })

const RIGHT: readonly (readonly [string, number])[] = [
  ['1 + 2 * 3', 7],
  ['(1 + 2) * 3', 9],
  ['2^3^2', 512],
  ['-2^2', -4],
  ['2^-1', 0.5],
  ['2**10', 1024],
  ['7 % 4', 3],
  ['-7 % 4', -3],
  ['8 / 4 / 2', 1],
  ['10 - 3 - 2', 5],
  ['--5', 5],
  ['0.1 + 0.2', 0.3],
  ['.5 + 5.', 5.5],
  ['1.5e3', 1500],
  ['6 × 7 ÷ 2 − 1', 20],
  ['sqrt(16) + abs(-3)', 7],
  ['min(3, 1, 2) + max(3, 1, 2)', 4],
  ['round(2.5) + round(-2.5)', 0],
  ['round(1.005, 2)', 1.01],
  ['floor(-1.5)', -2],
  ['ceil(1.2)', 2],
  ['ln(e)', 1],
  ['log10(1000)', 3],
  ['exp(0)', 1],
  ['sin(pi / 2)', 1],
  ['cos(0) + tan(0)', 1],
  ['PI - pi', 0],
  ['-0', 0],
  ['9007199254740991', 9007199254740991],
]

for (const [expression, value] of RIGHT) {
  test(`${expression} is ${value}`, async () => assert.deepEqual(await calculate(expression), { value }))
}

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['1 / 0', /^Division by zero$/],
  ['5 % (2 - 2)', /^Division by zero$/],
  ['0 ^ -1', /^Division by zero$/],
  ['10 ^ 400', /too large/],
  ['1e999', /too large/],
  ['exp(1000)', /too large/],
  ['sqrt(-1)', /sqrt of a number below zero/],
  ['ln(0)', /ln of zero or less/],
  ['(-8) ^ (1 / 3)', /not a real number/],
  ['1 +', /ends where a number should be/],
  ['(1', /ends where a closing parenthesis should be/],
  ['1 2', /an operator or the end at character 3, found "2"/],
  ['2pi', /an operator or the end at character 2/],
  ['1,000', /an operator or the end at character 2, found ","/],
  ['sin 1', /a parenthesis after sin/],
  ['sqrt(1, 2)', /sqrt does not take 2 values/],
  ['round(1, 99)', /0 to 15 digits/],
  ['process', /There is no process here; there are pi, e, sqrt/],
  ['constructor', /There is no constructor here/],
  ['__proto__', /There is no __proto__ here/],
  [`${'('.repeat(65)}1${')'.repeat(65)}`, /nests deeper than 64 levels/],
  ['-'.repeat(500), /nests deeper than 64 levels/],
]

for (const [expression, message] of WRONG) {
  test(`${expression.slice(0, 20)} is refused: ${message.source}`, async () => {
    await assert.rejects(calculate(expression), { code: 'invalid_request', param: 'expression', message })
  })
}

test('an expression may be long as long as it does not nest', async () => {
  assert.deepEqual(await calculate(`0${' + (1)'.repeat(150)}`), { value: 150 })
})

test('a whole number too large to be exact says so', async () => {
  assert.deepEqual(await calculate('2^53 + 1'), { value: 2 ** 53, approximate: true })
})

test('an expression of 1,001 characters is refused', async () => {
  await assert.rejects(calculate('1'.repeat(1_001)), { code: 'invalid_request' })
})

test('any text is a number or a refusal in words', async () => {
  const scraps = fc.array(fc.constantFrom('1', '.', 'e', '5', '+', '-', '*', '/', '%', '^', '(', ')', ',', 'pi', 'sqrt', 'round(', 'min(', ' ', '\n', 'x'), { minLength: 1, maxLength: 40 })
  const text = fc.oneof(scraps.map((all) => all.join('')), fc.string({ minLength: 1 }))
  await fc.assert(fc.asyncProperty(text, async (expression) => {
    try {
      const { value } = await calculate(expression) as { value: number }
      assert.ok(Number.isFinite(value))
    } catch (thrown) {
      assert.ok(isRpcError(thrown), String(thrown))
    }
  }), { numRuns: 2_000 })
})

test('it agrees with the language on chains of sums, differences and products', async () => {
  const step = fc.record({ sign: fc.constantFrom('+', '-', '*'), number: fc.integer({ min: -99, max: 99 }) })
  await fc.assert(fc.asyncProperty(fc.integer({ min: -99, max: 99 }), fc.array(step, { maxLength: 8 }), async (first, steps) => {
    // Products are taken together as they come, which is what binding tighter means.
    const sums = [first]
    for (const { sign, number } of steps) {
      if (sign === '*') sums.push((sums.pop() ?? 0) * number)
      else sums.push(sign === '-' ? -number : number)
    }
    const text = `${first}${steps.map(({ sign, number }) => ` ${sign} ${number}`).join('')}`
    assert.deepEqual(await calculate(text), { value: sums.reduce((sum, value) => sum + value, 0) + 0 })
  }))
})

/** 2026-07-01, a Wednesday, 22:30:05 in UTC: summer where there is one. */
const SUMMER = Date.UTC(2026, 6, 1, 22, 30, 5)

for (const [timeZone, iso, weekday] of [
  ['UTC', '2026-07-01T22:30:05+00:00', 'Wednesday'],
  ['Europe/Berlin', '2026-07-02T00:30:05+02:00', 'Thursday'],
  ['Asia/Kathmandu', '2026-07-02T04:15:05+05:45', 'Thursday'],
  ['America/New_York', '2026-07-01T18:30:05-04:00', 'Wednesday'],
] as const) {
  test(`the time in ${timeZone}`, async () => {
    assert.deepEqual(await tools.useTool('time_now', { timeZone }, { now: () => SUMMER }), { iso, utc: '2026-07-01T22:30:05.000Z', timeZone, weekday })
  })
}

test('the time is the owner\'s where no zone is given', async () => {
  const answer = await tools.useTool('time_now', {}, { now: () => SUMMER, config: { timeZone: 'Asia/Tokyo' } }) as { timeZone: string; iso: string }
  assert.deepEqual([answer.timeZone, answer.iso], ['Asia/Tokyo', '2026-07-02T07:30:05+09:00'])
})

test('the time is the machine\'s where the owner named no zone', async () => {
  const answer = await tools.useTool('time_now', {}, { now: () => SUMMER }) as { timeZone: string }
  assert.equal(answer.timeZone, new Intl.DateTimeFormat().resolvedOptions().timeZone)
})

test('a time zone that does not exist is refused by its name', async () => {
  await assert.rejects(tools.useTool('time_now', { timeZone: 'Mars/Olympus' }), { code: 'invalid_request', param: 'timeZone', message: /"Mars\/Olympus".*Europe\/Berlin/ })
})

for (const [text, characters, words, lines] of [
  ['', 0, 0, 0],
  ['Hello, world.', 13, 2, 1],
  ['one\ntwo\r\nthree\n', 14, 3, 3],
  ['👨‍👩‍👧 é', 3, 1, 1],
  ['\n', 1, 0, 1],
] as const) {
  test(`${JSON.stringify(text)} has ${characters} characters, ${words} words, ${lines} lines`, async () => {
    assert.deepEqual(await tools.useTool('text_count', { text }), { characters, words, lines })
  })
}

test('every built-in tool has a name and a schema that model providers take', () => {
  for (const { name, description, params } of tools.tools.values()) {
    assert.match(name, /^[a-z0-9_]{1,64}$/)
    assert.ok(description.length > 20)
    assert.equal((params as { type?: unknown }).type, 'object')
  }
})
