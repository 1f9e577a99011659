/**
 * The gateway that frames and requests are thrown at: a process as a person starts it, on one transport, with no limit that
 * would turn a flood away. After every input it must still be there, answer somebody else, and have logged no error: an
 * `internal` refusal, a rejected promise that nobody waited for, and a dialect that failed all leave one there. An error without
 * the thing that was thrown is for the owner to mend, such as a delivery to a channel that is not there, and is no fault.
 */
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { residentBytes } from '../faults/memory.ts'
import { startGateway, type StartedGateway } from '../main-job/started.ts'
import { HANG_MS } from './line.ts'

const LIMITS = '{ requestsPerMinute: 0, callsPerMinute: 0, connections: 0, authFailures: 0 }'

export class FuzzedGateway {
  readonly transport: 'uws' | 'ws'
  #child: StartedGateway | undefined
  #neighbour: WebSocket | undefined
  /** How much of the log has been told. */
  #toldBytes = 0
  #asked = 0

  private constructor(transport: 'uws' | 'ws') {
    this.transport = transport
  }

  static async open(transport: 'uws' | 'ws'): Promise<FuzzedGateway> {
    const gateway = new FuzzedGateway(transport)
    await gateway.ready()
    return gateway
  }

  get port(): number {
    return Number(new URL(this.#started.url).port)
  }

  get token(): string {
    return this.#started.token
  }

  get #started(): StartedGateway {
    if (!this.#child) throw new Error('the gateway has not been started')
    return this.#child
  }

  /** Starts another where there is none, as after an input that ended it: a smaller one needs a gateway too. */
  async ready(): Promise<void> {
    if (this.#child && this.#neighbour?.readyState === WebSocket.OPEN) return
    await this.#child?.remove()
    this.#child = await startGateway({ config: `gateway: { transport: ${this.transport}, limits: ${LIMITS} }\nlog: { level: error }\n` })
    this.#toldBytes = 0
    this.#neighbour = new WebSocket(this.#child.url.replace('http', 'ws'), { headers: { authorization: `Bearer ${this.#child.token}` } })
    this.#neighbour.on('error', () => {})
    await once(this.#neighbour, 'open')
  }

  /** Rejects where it is not what it was before. */
  async well(): Promise<void> {
    if (!(await this.#answersNeighbour())) {
      const { code, signal } = await this.#started.kill('SIGKILL')
      const end = signal === 'SIGKILL' ? `answers nobody within ${HANG_MS / 1000} s` : `has ended (code ${code}, signal ${signal})`
      this.#neighbour = undefined
      throw new Error(`the gateway ${end}; its log: ${await this.#news()}; it printed: ${this.#started.printed.slice(-2_000)}`)
    }
    const news = await this.#news()
    if (news !== '') throw new Error(`the gateway logged an error: ${news}`)
  }

  residentBytes(): Promise<number> {
    return residentBytes(this.#started.pid)
  }

  /** Ends it as its owner would; what it still has to say of what was done to it is told by rejecting. */
  async close(): Promise<void> {
    this.#neighbour?.terminate()
    await this.#started.kill('SIGTERM')
    const news = await this.#news()
    await this.#started.remove()
    if (news !== '') throw new Error(`the gateway logged an error that came late: ${news}`)
  }

  async #answersNeighbour(): Promise<boolean> {
    const neighbour = this.#neighbour
    if (neighbour?.readyState !== WebSocket.OPEN) return false
    this.#asked += 1
    const id = this.#asked
    const stop = new AbortController()
    const late = AbortSignal.any([stop.signal, AbortSignal.timeout(HANG_MS)])
    const answered = new Promise<boolean>((resolve) => {
      const hear = (text: Buffer) => {
        if ((JSON.parse(String(text)) as { id?: unknown }).id === id) resolve(true)
      }
      const gone = () => resolve(false)
      neighbour.on('message', hear)
      neighbour.once('close', gone)
      late.addEventListener('abort', () => {
        neighbour.off('message', hear).off('close', gone)
        resolve(false)
      })
    })
    neighbour.send(JSON.stringify({ id, method: 'system.ping' }))
    return answered.finally(() => stop.abort())
  }

  /** What the log says that has not been told. */
  async #news(): Promise<string> {
    const file = join(this.#started.home, 'logs', 'gateway.log')
    const size = await stat(file).then((found) => found.size, () => 0)
    if (size <= this.#toldBytes) return ''
    const log = Buffer.from(await this.#started.log())
    const whole = log.lastIndexOf('\n') + 1
    const news = log.subarray(this.#toldBytes, whole).toString().split('\n').filter(isFault).join('\n')
    this.#toldBytes = Math.max(this.#toldBytes, whole)
    return news.slice(0, 4_000)
  }
}

function isFault(line: string): boolean {
  return line !== '' && 'err' in (JSON.parse(line) as object)
}
