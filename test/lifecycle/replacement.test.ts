/** A plugin that is to take the place of one that runs: whatever goes wrong, the one that runs goes on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { House, methods, route, wanted, type Spec } from '../kernel/house.ts'

const good: Spec = { id: 'good', register: methods({ 'good.say': () => 'good' }) }

test('a replacement that fails leaves what it would have replaced where it is', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'p.version': () => 1 }) })
  const bad: readonly [string, Partial<Spec>][] = [
    ['throws in register', { register: () => { throw new Error('x') } }],
    ['throws in start', { register: methods({ 'p.version': () => 2 }), start: () => { throw new Error('x') } }],
    ['needs what is not there', { needs: { ghost: '*' } }],
    ['has a wrong API range', { api: '^9.0.0' }],
  ]
  for (const [what, spec] of bad) {
    const report = await house.want({ id: 'p', version: '2.0.0', ...spec })
    assert.ok(report.failed['p'], what)
    assert.equal(await house.client().call('p.version'), 1, what)
    assert.equal(house.state('p'), 'ready')
    assert.ok(house.reason('p'))
  }
})

test('a replacement that would break one that runs is refused, whether by its version or by what it no longer offers', async () => {
  const house = new House()
  const user: Spec = { id: 'user', needs: { base: '^1.0.0' }, register: route('/x', 'base.get') }
  await house.want(user, { id: 'base', register: methods({ 'base.get': () => 1 }) })
  const newer = await house.want(user, { id: 'base', version: '2.0.0', register: methods({ 'base.get': () => 2 }) })
  assert.deepEqual(newer.failed, { base: 'user 1.0.0 needs base ^1.0.0, found base 2.0.0' })
  const poorer = await house.want(user, { id: 'base', version: '1.1.0' })
  assert.match(poorer.failed['base'] ?? '', /serves GET \/x with base\.get, which no plugin offers/)
  assert.equal(await house.client().call('base.get'), 1)
  assert.equal(house.state('user'), 'ready')
})

test('two that are replaced together come or stay together', async () => {
  const house = new House()
  await house.want({ id: 'base', register: methods({ 'base.get': () => 1 }) }, { id: 'user', needs: { base: '^1.0.0' } })
  const report = await house.want({ id: 'base', version: '2.0.0', register: methods({ 'base.get': () => 2 }) }, { id: 'user', version: '2.0.0', needs: { base: '^2.0.0' }, start: () => { throw new Error('x') } })
  assert.deepEqual(Object.keys(report.failed).sort(), ['base', 'user'])
  assert.deepEqual([await house.client().call('base.get'), house.state('user')], [1, 'ready'])
  const both = await house.want({ id: 'base', version: '2.0.0', register: methods({ 'base.get': () => 2 }) }, { id: 'user', version: '2.0.0', needs: { base: '^2.0.0' } })
  assert.deepEqual(both.failed, {})
  assert.equal(await house.client().call('base.get'), 2)
})

test('a plugin whose folder cannot be read at the moment goes on running', async () => {
  const house = new House()
  await house.want(good)
  const report = await house.kernel.apply({ plugins: [], disabled: [], unreadable: [{ id: 'good', reason: 'half a package.json' }] })
  assert.deepEqual(report.failed, { good: 'half a package.json' })
  assert.equal(await house.client().call('good.say'), 'good')
})

test('switching off what others need stops those too, with the reason', async () => {
  const house = new House()
  const base: Spec = { id: 'base' }
  await house.want(good, base, { id: 'user', needs: { base: '*' } })
  const report = await house.kernel.apply({ plugins: [wanted(good), wanted({ id: 'user', needs: { base: '*' } })], disabled: [wanted(base).source], unreadable: [] })
  assert.deepEqual(report.failed, { user: 'user 1.0.0 needs base *, which is not there' })
  assert.deepEqual([house.state('base'), house.state('user'), house.state('good')], ['disabled', 'failed', 'ready'])
})
