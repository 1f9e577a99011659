/**
 * Calls on WebSockets: each socket keeps so many requests in flight and sends as many more as replies came. The requests are
 * made ahead and of one length, and so are the replies: a reply of another length is no success, and is counted as such.
 */
import type { Socket } from 'node:net'
import { FrameReader, textFrame } from './frame.ts'
import type { Load, RpcJob } from './job.ts'
import { openSocket, type Upgraded } from './lane.ts'
import { Measure } from './measure.ts'

/** Ids of four digits, so that all requests are as long as each other. */
const FIRST_ID = 1000
const PING = { method: 'system.ping', params: {} }

export async function loadRpc(job: RpcJob): Promise<Load> {
  const measure = new Measure(job)
  const sockets: Socket[] = []
  try {
    for (let at = 0; at < job.sockets; at += 1) {
      const upgraded = await openSocket(job)
      sockets.push(upgraded.socket)
      new RpcLane(upgraded, job, measure).begin()
    }
    return await measure.run()
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

class RpcLane {
  readonly #socket: Socket
  readonly #measure: Measure
  readonly #frames: Buffer
  readonly #frameLength: number
  readonly #inFlight: number
  readonly #reader: FrameReader
  /** The length of a right reply, learnt from the first. */
  #expected = 0
  #came = 0
  #right = 0
  #sentAt = 0

  constructor({ socket, early }: Upgraded, { inFlight, call = PING }: RpcJob, measure: Measure) {
    const frames = Array.from({ length: inFlight }, (_, at) => textFrame(JSON.stringify({ id: FIRST_ID + at, ...call })))
    this.#socket = socket
    this.#measure = measure
    this.#inFlight = inFlight
    this.#frames = Buffer.concat(frames)
    this.#frameLength = frames[0]?.length ?? 0
    this.#reader = new FrameReader((bytes, from, to) => (this.#expected === 0 ? this.#learn(bytes.toString('utf8', from, to)) : this.#hear(bytes, from, to)))
    this.#reader.take(early)
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (cause) => measure.broke(cause))
    socket.on('close', () => {
      if (measure.running) measure.broke(new Error('The server closed a socket under load'))
    })
  }

  /** One request alone first: what comes before its reply is a greeting. */
  begin(): void {
    this.#send(1)
    this.#socket.resume()
  }

  #take(chunk: Buffer): void {
    this.#came = 0
    this.#right = 0
    this.#reader.take(chunk)
    if (this.#came === 0) return
    if (this.#inFlight === 1) this.#measure.took(performance.now() - this.#sentAt)
    this.#measure.replied(this.#right)
    if (this.#measure.running) this.#send(this.#came)
  }

  #learn(text: string): void {
    // An object by the protocol; a right reply has the id that was sent.
    const reply = JSON.parse(text) as { readonly id?: unknown; readonly ok?: unknown }
    if (reply.id !== FIRST_ID) return
    if (reply.ok === false) return this.#measure.broke(new Error(`The first call was refused: ${text}`))
    this.#expected = Buffer.byteLength(text)
    this.#send(this.#inFlight)
  }

  #hear(bytes: Buffer, from: number, to: number): void {
    this.#came += 1
    if (to - from === this.#expected) this.#right += 1
    else this.#measure.failed(bytes.toString('utf8', from, to))
  }

  #send(count: number): void {
    if (this.#inFlight === 1) this.#sentAt = performance.now()
    for (let left = count; left > 0; left -= this.#inFlight) {
      this.#socket.write(this.#frames.subarray(0, Math.min(left, this.#inFlight) * this.#frameLength))
    }
  }
}
