/**
 * The whole road of a call by each family of URLs, authenticated and validated, beside the same call by the rpc dialect: what a
 * spelling costs where everything behind it is the same. The cheap calls show the road itself; a turn with the model shows how
 * little of it that is.
 */
import { figure, type Figure } from './figure.ts'
import type { Load } from './job.ts'
import type { Stage } from './stage.ts'
import { inTurns, rawOf, remarksOn, type Tally } from './turns.ts'

const SECTION = 'Families, the whole road'
const CONNECTIONS = 32
/** A turn is kept by the store before it is answered. */
const TURNS_AT_ONCE = 8

interface Spelling {
  readonly path: string
  readonly body?: object
}

interface Comparison {
  readonly name: string
  readonly call: { readonly method: string; readonly params: object }
  readonly families: Readonly<Record<string, Spelling>>
}

const LIST = { method: 'channel.list', params: {} }
const TOOL = { method: 'tool.invoke', params: { tool: 'text_count', params: { text: 'a b' } } }
const TURN = { method: 'chat.run', params: { message: 'Hello' } }

/** Calls whose replies are all of one length, as the load on sockets wants them. */
const CHEAP: readonly Comparison[] = [
  {
    name: 'channel.list',
    call: LIST,
    families: { '/v1/channels': { path: '/v1/channels' }, '/api/v1/channels': { path: '/api/v1/channels' }, '/api/rpc': { path: '/api/rpc', body: LIST } },
  },
  {
    name: 'tool.invoke',
    call: TOOL,
    families: { '/api/tools/invoke': { path: '/api/tools/invoke', body: TOOL.params }, '/api/rpc': { path: '/api/rpc', body: TOOL } },
  },
]

/** The rpc dialect's spelling on HTTP is what turns are held against: their replies differ in length. */
const TURNS: Readonly<Record<string, Spelling>> = {
  '/api/rpc': { path: '/api/rpc', body: TURN },
  '/v1/agent/run': { path: '/v1/agent/run', body: TURN.params },
  '/api/v1/message': { path: '/api/v1/message', body: { channel: 'api', ...TURN.params } },
  '/v1/chat/completions': { path: '/v1/chat/completions', body: { model: 'openclaw', messages: [{ role: 'user', content: TURN.params.message }] } },
}

export async function familySection(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const { name, call, families } of CHEAP) {
    const tallies = await load(stage, families, CONNECTIONS, call)
    figures.push(...compared(`${name}, ${CONNECTIONS} connections`, tallies, 'rpc'))
  }
  return [...figures, ...compared(`a turn, ${TURNS_AT_ONCE} at a time`, await load(stage, TURNS, TURNS_AT_ONCE), '/api/rpc')]
}

async function load({ pace, client, ...stage }: Stage, families: Readonly<Record<string, Spelling>>, connections: number, call?: Comparison['call']) {
  const { port, pid, token } = await stage.gateway()
  const { warmSeconds, seconds, isThorough } = pace
  const target = { port, pid, token, warmSeconds, seconds: seconds / 2 }
  const lanes: Record<string, () => Promise<Load>> = {}
  if (call) lanes['rpc'] = () => client.ask({ kind: 'rpc', ...target, call, sockets: connections, inFlight: 1 })
  for (const [name, spelling] of Object.entries(families)) lanes[name] = () => client.ask({ kind: 'http', ...target, ...spelling, connections })
  return inTurns(isThorough ? 2 : 1, lanes)
}

/** By processor time, which the client and whoever else is on the machine do not change. */
function compared(name: string, tallies: Readonly<Record<string, Tally>>, reference: string): Figure[] {
  const micros = tallies[reference]?.cpuMicros ?? NaN
  return Object.entries(tallies).map(([family, tally]) => figure({
    section: SECTION,
    name: `${name}: ${family}`,
    value: tally.cpuMicros,
    unit: 'us',
    ...(family !== reference && { against: { [reference]: micros } }),
    remarks: [`${Math.round(tally.perSecond)}/s`, ...remarksOn(tally).slice(1)],
    raw: rawOf(tally),
  }))
}
