import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assemble } from '../../kernel/generation.ts'
import type { Instance } from '../../kernel/instance.ts'
import { all, House, methods, settled, type Spec } from '../kernel/house.ts'

const IDS = ['a', 'b', 'c', 'd'] as const

/** How a plugin may be: well, or bad in one of the ways plugins are. */
const spec = fc.record({
  id: fc.constantFrom(...IDS),
  major: fc.integer({ min: 1, max: 2 }),
  offers: fc.uniqueArray(fc.constantFrom('x.one', 'y.two', 'z.three'), { maxLength: 2 }),
  route: fc.option(fc.constantFrom('x.one', 'y.two'), { nil: undefined }),
  needs: fc.option(fc.record({ id: fc.constantFrom(...IDS), range: fc.constantFrom('*', '^1.0.0', '^2.0.0') }), { nil: undefined }),
  flaw: fc.constantFrom('none', 'none', 'none', 'register', 'start', 'stop', 'api'),
})
type Drawn = typeof spec extends fc.Arbitrary<infer Value> ? Value : never

function made({ id, major, offers, route, needs, flaw }: Drawn): Spec {
  const fail = (place: string) => { if (flaw === place) throw new Error(place) }
  return {
    id, version: `${major}.0.0`, config: { offers, route: route ?? null, flaw }, builtIn: major === 1,
    ...(needs && needs.id !== id && { needs: { [needs.id]: needs.range } }),
    ...(flaw === 'api' && { api: '^9.0.0' }),
    register: all(
      () => fail('register'),
      methods(Object.fromEntries(offers.map((name) => [name, () => id]))),
      (gateway) => { if (route) gateway.hooks.routes.tap('r', (into) => into.add({ verb: 'GET', path: `/${route}`, call: route })) },
    ),
    start: async () => { await settled(); fail('start') },
    stop: () => fail('stop'),
  }
}

/** Nobody is left out without a standing reason: beside those that are there it does not stand. */
async function isOutForAReason(one: Drawn, there: readonly Drawn[]): Promise<void> {
  const { failed } = await new House().want(...[...there.filter(({ id }) => id !== one.id), one].map(made))
  assert.notDeepEqual(failed, {}, `${one.id} was left out, and nothing is in its way`)
}

test('whatever is wanted, in whatever order, the current generation stands and nothing else is left running', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uniqueArray(spec, { selector: ({ id }) => id, maxLength: 4 }), { minLength: 1, maxLength: 6 }), async (changes) => {
      const house = new House()
      const seen = new Set<Instance>()
      const drawnOf = new Map<Instance, Drawn>()
      for (const change of changes) {
        const before = [...house.kernel.generation.instances.values()]
        const report = await house.want(...change.map(made))
        const { instances } = house.kernel.generation
        for (const one of [...before, ...instances.values()]) seen.add(one)
        for (const one of change) {
          const there = instances.get(one.id)
          if (there && !drawnOf.has(there)) drawnOf.set(there, one)
        }
        for (const one of change.filter(({ id }) => report.failed[id] !== undefined)) await isOutForAReason(one, [...instances.values()].map((there) => drawnOf.get(there) as Drawn))
        assert.deepEqual(assemble(instances.values(), 0).problems, [])
        for (const one of instances.values()) {
          assert.equal(one.state, 'ready')
          for (const need of Object.keys(one.manifest.needs)) assert.ok(instances.has(need))
        }
        for (const { id } of change) assert.ok(instances.has(id) || report.failed[id], `${id} is neither there nor failed`)
        for (const id of instances.keys()) assert.ok(change.some((one) => one.id === id))
      }
      await settled()
      await settled()
      for (const one of seen) {
        const isCurrent = house.kernel.generation.instances.get(one.id) === one
        assert.equal(one.inside, 0)
        assert.ok(isCurrent ? one.state === 'ready' : one.gone && ['stopped', 'failed'].includes(one.state), `${one.label} is ${one.state}`)
      }
    }),
    { numRuns: 300, seed: 20 },
  )
})
