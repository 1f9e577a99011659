/** `GET /health` on kept connections, beside raw uWS and a bare node:http server that answer the same bytes. */
import type { Figure } from './figure.ts'
import type { HttpJob } from './job.ts'
import type { Stage } from './stage.ts'
import { throughput } from './throughput.ts'
import { inTurns } from './turns.ts'

const CONNECTIONS = 64
const BUDGET = 0.7

export async function healthSection({ pace, client, ...stage }: Stage): Promise<Figure[]> {
  const [gateway, raw, http] = [await stage.gateway(), await stage.reference(new URL('./raw-uws.ts', import.meta.url)), await stage.reference(new URL('./raw-http.ts', import.meta.url))]
  const { warmSeconds, seconds, rounds } = pace
  const job = ({ port, pid }: { readonly port: number; readonly pid: number }): HttpJob =>
    ({ kind: 'http', port, pid, path: '/health', connections: CONNECTIONS, warmSeconds, seconds })
  const tallies = await inTurns(rounds, {
    gateway: () => client.ask(job(gateway)),
    raw: () => client.ask(job(raw)),
    http: () => client.ask(job(http)),
  })
  const name = `GET /health, ${CONNECTIONS} connections`
  return throughput({ section: 'HTTP', name, gateway: tallies.gateway, raw: tallies.raw, others: { 'bare node:http': tallies.http }, least: BUDGET })
}
