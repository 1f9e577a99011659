/** `system.ping` over WebSockets, authenticated and validated, beside a raw uWS and a raw `ws` that echo the same frames as JSON. */
import { figure, type Figure } from './figure.ts'
import type { RpcJob } from './job.ts'
import type { Stage } from './stage.ts'
import { summary } from './statistics.ts'
import { throughput } from './throughput.ts'
import { inTurns } from './turns.ts'

const SECTION = 'RPC over WebSocket'
/** Enough to keep a server busy all the time; the gateway takes 256 at once on each. */
const MANY = { sockets: 8, inFlight: 32 }
const ALONE = { sockets: 1, inFlight: 1 }
const BUDGET = 0.6

export async function rpcSection(stage: Stage): Promise<Figure[]> {
  const busy = await load(stage, MANY)
  const alone = await load(stage, ALONE)
  const [own, raw, ws] = [alone.gateway, alone.raw, alone.ws].map(({ latencies }) => summary(latencies))
  const { sockets, inFlight } = MANY
  return [
    ...throughput({
      section: SECTION,
      name: `system.ping, ${sockets} sockets, ${inFlight} in flight each`,
      gateway: busy.gateway,
      raw: busy.raw,
      others: { 'raw ws': busy.ws },
      least: BUDGET,
    }),
    figure({ section: SECTION, name: 'one at a time, p50', value: own?.p50 ?? NaN, unit: 'ms', against: { 'raw uWS': raw?.p50 ?? NaN, 'raw ws': ws?.p50 ?? NaN } }),
    figure({ section: SECTION, name: 'one at a time, p99', value: own?.p99 ?? NaN, unit: 'ms', against: { 'raw uWS': raw?.p99 ?? NaN, 'raw ws': ws?.p99 ?? NaN } }),
  ]
}

async function load({ pace, client, ...stage }: Stage, shape: typeof MANY) {
  const [gateway, raw, ws] = [await stage.gateway(), await stage.reference(new URL('./raw-uws.ts', import.meta.url)), await stage.reference(new URL('./raw-ws.ts', import.meta.url))]
  const { warmSeconds, seconds, rounds } = pace
  const job = ({ port, pid }: { readonly port: number; readonly pid: number }): RpcJob => ({ kind: 'rpc', port, pid, ...shape, warmSeconds, seconds })
  return inTurns(shape === ALONE ? 1 : rounds, {
    gateway: () => client.ask({ ...job(gateway), token: gateway.token }),
    raw: () => client.ask(job(raw)),
    ws: () => client.ask(job(ws)),
  })
}
