import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../kernel/clock.ts'
import { House, methods, settled, type Spec } from '../kernel/house.ts'

const PER_SECOND = 500
const TICK_MS = 10
const LASTING_MS = 3000
const SWAPS = 10

/** Two versions of one plugin; half of its calls take a few turns, some go through another plugin and a tap. */
const swapped = (version: string, n: number): Spec => ({
  id: 'swapped', version, config: { n },
  register: methods({ 'swapped.now': () => version, 'swapped.soon': async () => { await settled(); return version }, 'swapped.later': async () => { await pause(20); return version } }),
  start: () => settled(), stop: () => settled(),
})
const through: Spec = { id: 'through', register: methods({ 'through.ask': async (_, ctx) => { await settled(); return ctx.call('swapped.soon') } }) }
const tap: Spec = { id: 'tap', register: (gateway) => gateway.hooks.callStarting.tap('t', async () => { await settled() }) }

test('a plugin swapped back and forth under 500 calls a second loses none, and each answer is from a version that was current', async () => {
  const house = new House({ clock: systemClock })
  const client = house.client()
  const current: string[] = ['1.0.0']
  await house.want(swapped('1.0.0', 0), through, tap)
  const wrong: unknown[] = []
  const answers: Promise<void>[] = []
  const ask = (index: number) => {
    const method = ['swapped.now', 'swapped.soon', 'swapped.later', 'through.ask'][index % 4] ?? ''
    const from = current.length - 1
    answers.push(client.call(method).then((version) => {
      if (!current.slice(Math.max(0, from - 1)).includes(version as string)) wrong.push({ method, version })
    }, (refused: unknown) => void wrong.push(refused)))
  }
  const swapping = (async () => {
    for (let swap = 1; swap <= SWAPS; swap += 1) {
      await pause(LASTING_MS / SWAPS - 20)
      const version = swap % 2 === 0 ? '1.0.0' : '2.0.0'
      current.push(version)
      assert.deepEqual((await house.want(swapped(version, swap), through, tap)).failed, {})
    }
  })()
  for (let tick = 0; tick < LASTING_MS / TICK_MS; tick += 1) {
    for (let i = 0; i < (PER_SECOND * TICK_MS) / 1000; i += 1) ask(answers.length)
    await pause(TICK_MS)
  }
  await swapping
  await Promise.all(answers)
  assert.deepEqual(wrong, [])
  assert.ok(answers.length >= (PER_SECOND * LASTING_MS) / 1000)
  await house.kernel.stop()
  assert.deepEqual(house.logged('error'), [])
})
