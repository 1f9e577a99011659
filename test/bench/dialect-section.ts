/**
 * What a dialect's own part of a frame costs: text to wish, and outcome or event to text, parsing and writing of JSON included,
 * since that is what the connection does around it. The same chat in each spelling, beside rpc; no socket, no gateway.
 */
import { rpc, simple, typed, type Spelled } from './dialect-speech.ts'
import { figure, type Figure } from './figure.ts'
import type { Stage } from './stage.ts'
import { median } from './statistics.ts'

const SECTION = 'Dialects, of each frame'
const DIALECTS = { rpc, typed, simple }
const KINDS = ['decode', 'encode', 'event'] as const
const NAMES: Readonly<Record<(typeof KINDS)[number], string>> = { decode: 'a chat read', encode: 'its reply said', event: 'a tool\'s call said' }
/** A round is cut into so many turns, and the dialects take turns, so that what disturbs the machine disturbs all of them. */
const TURNS = 10
/** Between two looks at the clock, which takes longer than a frame. */
const BATCH = 500

export async function dialectSection({ pace }: Stage): Promise<Figure[]> {
  return KINDS.flatMap((kind) => {
    const micros = measured(kind, pace.seconds)
    const spelled = Object.entries(micros).filter(([, value]) => !Number.isNaN(value))
    return spelled.map(([name, value]) =>
      figure({ section: SECTION, name: `${name}: ${NAMES[kind]}`, value, unit: 'us', ...(name !== 'rpc' && { against: { rpc: micros.rpc } }) }))
  })
}

/** Microseconds of each dialect; NaN for one that has no word for it. */
function measured(kind: (typeof KINDS)[number], seconds: number): Record<keyof typeof DIALECTS, number> {
  const samples: Record<string, number[]> = {}
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const [name, dialect] of Object.entries(DIALECTS)) {
      const once = dialect[kind]
      const micros = once ? each(once, (seconds * 1000) / TURNS / 3) : NaN
      // In the first turn the engine still compiles.
      if (turn > 0) (samples[name] ??= []).push(micros)
    }
  }
  const of = (name: keyof typeof DIALECTS) => median(samples[name] ?? [])
  return { rpc: of('rpc'), typed: of('typed'), simple: of('simple') }
}

function each(once: NonNullable<Spelled['event']>, ms: number): number {
  const began = performance.now()
  let done = 0
  let characters = 0
  while (performance.now() - began < ms) {
    for (let at = 0; at < BATCH; at += 1) characters += once()
    done += BATCH
  }
  if (characters === 0) throw new Error('A dialect said nothing')
  return ((performance.now() - began) * 1000) / done
}
