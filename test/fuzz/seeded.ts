/** The seeded run as tests: one for each property of a subject, on the seed that is written in `seed.ts`. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { attempt } from './attempt.ts'
import { titleOf, type Opening, type Subject } from './property.ts'
import { SEED } from './seed.ts'

/** Far past what the runs take; a machine that is slower stops here and has still tried some. */
const AT_MOST_MS = 60_000

/** @param facts what each property says, by its name, as titles. */
export function seeded(opening: Opening, facts: Readonly<Record<string, string>>): void {
  describe(`${titleOf(opening)}, seed ${SEED}`, () => {
    let subject: Subject
    before(async () => {
      subject = await opening.open()
    })
    after(() => subject.close())

    it('has a fact for each of its properties', () => {
      assert.deepEqual(subject.properties.map(({ name }) => name), Object.keys(facts))
    })

    for (const [name, fact] of Object.entries(facts)) {
      it(fact, async () => {
        const one = subject.properties.find((property) => property.name === name)
        assert.ok(one)
        const { failure, tried } = await attempt(subject, opening, one, { seed: SEED, runs: one.runs, ms: AT_MOST_MS })
        if (failure !== undefined) assert.fail(failure)
        assert.ok(tried > 0)
      })
    }
  })
}
