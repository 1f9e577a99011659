/** Plugins that are wanted and do not run: when they are tried again, and what is said of them meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Wanted } from '../../kernel/lifecycle/plan.ts'
import { START_DEADLINE_MS } from '../../kernel/limits.ts'
import { all, House, methods, settled, tool, wanted, type Spec } from '../kernel/house.ts'

const good: Spec = { id: 'good', register: methods({ 'good.say': () => 'good' }) }

// Trying again

/** Applies wishes as they are, so that an unchanged one is the same from change to change. */
const apply = (house: House, wishes: readonly Wanted[], renew?: readonly string[]) => house.kernel.apply({ plugins: wishes, disabled: [], unreadable: [], ...(renew && { renew: new Set(renew) }) })

/** A plugin whose `start` fails until it has luck, and counts. */
function moody(needs: Readonly<Record<string, string>> = {}) {
  const seen = { luck: false, starts: 0 }
  const start = () => { seen.starts += 1; if (!seen.luck) throw new Error('not now') }
  return { seen, wish: wanted({ id: 'moody', needs, start }) }
}

test('a failed plugin is not tried again by a change elsewhere, and its reason stays', async () => {
  const house = new House()
  const { seen, wish } = moody()
  await apply(house, [wish])
  const report = await apply(house, [wish, wanted(good)])
  assert.deepEqual([report.failed, report.brought, seen.starts], [{ moody: '`start` failed: not now' }, ['good 1.0.0'], 1])
  assert.deepEqual([house.state('moody'), house.reason('moody')], ['failed', '`start` failed: not now'])
  assert.equal(house.logged('error').filter((line) => line.startsWith('plugin moody failed')).length, 1)
})

test('a failed plugin is tried again when its config or what it needs has changed, and when it is renewed', async () => {
  const house = new House()
  const { seen, wish } = moody({ good: '*' })
  await apply(house, [wish, wanted(good)])
  await apply(house, [{ ...wish, config: { n: 1 } }, wanted(good)])
  assert.equal(seen.starts, 2)
  await apply(house, [{ ...wish, config: { n: 1 } }, wanted({ ...good, version: '1.1.0' })])
  assert.equal(seen.starts, 3)
  seen.luck = true
  assert.deepEqual((await apply(house, [{ ...wish, config: { n: 1 } }, wanted({ ...good, version: '1.1.0' })], ['moody'])).failed, {})
  assert.deepEqual([seen.starts, house.state('moody'), house.reason('moody')], [4, 'ready', undefined])
})

test('several plugins that hang in start cost one deadline in all', async () => {
  const house = new House()
  const hanging = (id: string): Spec => ({ id, start: () => new Promise(() => {}) })
  const change = house.want(good, hanging('a'), hanging('b'), hanging('c'))
  await house.clock.advance(START_DEADLINE_MS)
  assert.deepEqual(Object.keys((await change).failed), ['a', 'b', 'c'])
})

test('who was left out for one that is left out itself comes after all', async () => {
  const house = new House()
  await house.want({ id: 'runs', register: tool('two') })
  const report = await house.want({ id: 'runs', register: tool('two') }, { id: 'b', register: all(tool('one'), tool('two')) }, { id: 'c', register: tool('one') })
  assert.deepEqual([Object.keys(report.failed), report.brought], [['b'], ['c 1.0.0']])
})

test('who was left out for one that fails to start is started in its place', async () => {
  const house = new House()
  const report = await house.want({ id: 'a', register: tool('x'), start: () => { throw new Error('no') } }, { id: 'b', register: tool('x'), start: () => {} })
  assert.deepEqual([report.failed, house.state('b')], [{ a: '`start` failed: no' }, 'ready'])
})

// What plugin.list says

test('the row of a failed replacement shows what runs and what failed, each with its version', async () => {
  const house = new House()
  await house.want({ id: 'p' })
  await house.want({ id: 'p', version: '2.0.0', register: () => { throw new Error('x') } })
  assert.partialDeepStrictEqual(house.kernel.rows(), [{ id: 'p', state: 'ready', version: '1.0.0', failed: { version: '2.0.0', reason: 'x' } }])
})

test('a plugin that cannot be read is nobody\'s confidant', async () => {
  const house = new House()
  await house.kernel.apply({ plugins: [], disabled: [], unreadable: [{ id: 'p', reason: 'half a package.json' }] })
  assert.partialDeepStrictEqual(house.kernel.rows(), [{ id: 'p', state: 'failed', trust: 'walled', failed: { version: '', reason: 'half a package.json' } }])
})

test('a state changes by the moves in the table only', async () => {
  const house = new House()
  await house.want({ id: 'p' })
  const instance = house.kernel.generation.instances.get('p')
  assert.throws(() => instance?.become('stopped'), /cannot go from ready to stopped/)
  await house.want()
  await settled()
  assert.equal(instance?.state, 'stopped')
  assert.throws(() => instance?.become('failed'), /cannot go from stopped to failed/)
})
