/** Dialects for the tests: small ones with a state, which speak at once or take their time, and break when they are told to. */
import { definePlugin, type Dialect, type Json, type JsonObject, type Spoken, type Wish } from '@isopod/plugin-api'
import type { TestPlugin } from '@isopod/testing'

export interface Tongue extends Partial<Omit<Dialect, 'name'>> {
  readonly name: string
  /** Answers promises, as a dialect behind the wall does; later questions would be answered sooner. */
  readonly slow?: boolean
}

/** A plugin with these dialects. Each numbers what it reads and says in one count, its state. */
export function tongues(id: string, ...all: readonly Tongue[]): TestPlugin {
  return {
    id,
    plugin: definePlugin((gateway) => {
      gateway.hooks.dialects.tap(id, (dialects) => {
        for (const one of all) dialects.add(dialect(one))
      })
    }),
  }
}

function dialect({ slow = false, ...own }: Tongue): Dialect {
  const spoken = <Answer>(answer: Answer, turns: number): Answer | Promise<Answer> => (slow ? after(turns, answer) : answer)
  return {
    openings: [{ has: own.name }],
    greet: () => spoken({ state: 0, frames: [{ hello: own.name }] }, 3),
    decode: (frame, state) => spoken({ state: next(state), wish: wishOf(frame) }, 20 - 3 * Math.min(6, Number(state))),
    encode: (what, state) => spoken({ state: next(state), frames: [{ by: own.name, n: next(state), ...saidOf(what) }] }, 20 - 3 * Math.min(6, Number(state))),
    ...own,
  }
}

function next(state: Json): number {
  return Number(state) + 1
}

async function after<Answer>(turns: number, answer: Answer): Promise<Answer> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve()
  return answer
}

function wishOf(frame: JsonObject): Wish {
  const { id = null, call, params = {}, token } = frame
  if (frame['breaks'] === true) throw new TypeError('broken')
  if (typeof token === 'string') return { do: 'auth', id, token }
  return typeof call === 'string' ? { do: 'call', id, method: call, params: params as JsonObject } : { do: 'nothing' }
}

function saidOf(what: Spoken): JsonObject {
  if (what.kind === 'event') return { event: what.event.name, data: what.event.data }
  if (what.kind === 'welcome') return { id: what.id, welcome: true }
  if (what.outcome.ok) return { id: what.id, answer: what.outcome.value as Json }
  return { id: what.id, refused: what.outcome.refusal.code }
}

