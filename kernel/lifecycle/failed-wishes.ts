/**
 * Wishes that failed by themselves: their code could not be loaded, or `register` or `start` failed. They are not tried again
 * by every change, since one that hangs would hold up each of them; only when something about them has changed, or when the
 * owner asks. What failed by a conflict is no such wish: it costs nothing to look again.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Generation } from '../generation.ts'
import type { Instance } from '../instance.ts'
import type { Plan, Wanted } from './plan.ts'

interface FailedWish {
  readonly wish: Wanted
  readonly reason: string
  /** What it needs, as it was after it had failed. */
  readonly needed: ReadonlyMap<string, Instance | undefined>
}

export class FailedWishes {
  #byId: ReadonlyMap<string, FailedWish> = new Map()

  /** Of those to be brought, the ones that would only fail again, with the reason. */
  standing({ bring, keep }: Plan, renew: ReadonlySet<string>, { instances }: Generation): ReadonlyMap<Wanted, string> {
    const kept = new Map(keep.map((one) => [one.id, one]))
    let again = bring.filter((wish) => !renew.has(idOf(wish)) && isSame(wish, this.#byId.get(idOf(wish))?.wish))
    for (;;) {
      const tried = new Set(bring.filter((wish) => !again.includes(wish)).map(idOf))
      const untried = new Set(again.map(idOf))
      const isUnchanged = ([id, before]: [string, Instance | undefined]) => !tried.has(id) && (untried.has(id) ? instances.get(id) : kept.get(id)) === before
      const left = again.filter((wish) => [...(this.#byId.get(idOf(wish))?.needed ?? [])].every(isUnchanged))
      if (left.length === again.length) return new Map(again.map((wish) => [wish, this.#byId.get(idOf(wish))?.reason ?? '']))
      again = left
    }
  }

  /** Remembers exactly these, and what they need as it is now. */
  remember(failed: ReadonlyMap<Wanted, string>, { instances }: Generation): void {
    const remembered = [...failed].map(([wish, reason]): [string, FailedWish] => {
      const needed = Object.keys(wish.source.manifest.needs).map((id) => [id, instances.get(id)] as const)
      return [idOf(wish), { wish, reason, needed: new Map(needed) }]
    })
    this.#byId = new Map(remembered)
  }
}

function idOf({ source }: Wanted): string {
  return source.manifest.id
}

function isSame({ source, trust, config }: Wanted, earlier: Wanted | undefined): boolean {
  if (!earlier || trust !== earlier.trust || source.entry !== earlier.source.entry || source.plugin !== earlier.source.plugin) return false
  return isDeepStrictEqual(source.manifest, earlier.source.manifest) && isDeepStrictEqual(config, earlier.config)
}
