/**
 * Chat completions, so many at a time, each lane with a kept connection of its own. Every answer is read to its end and
 * looked at: one that is not whole is no success. Times are from the request's first byte to the first piece and to the end.
 */
import type { Socket } from 'node:net'
import type { ChatJob, Load } from './job.ts'
import { authorization, openLane } from './lane.ts'
import { Measure } from './measure.ts'
import { ReplyReader, type Reply } from './reply-reader.ts'
import { FIRST_PIECE, LAST_PIECE } from './upstream-answer.ts'

/** What the answers under way may take after the time is over. */
const DRAIN_MS = 15_000

export async function loadChat(job: ChatJob): Promise<Load> {
  const measure = new Measure(job)
  const request = requestOf(job)
  const sockets = await Promise.all(Array.from({ length: job.concurrent }, () => openLane(job.port)))
  const lanes = sockets.map((socket) => new ChatLane(socket, { request, stream: job.stream, measure }))
  const starts = lanes.map((lane, at) => setTimeout(() => lane.begin(), (job.spreadMs * at) / lanes.length))
  try {
    const load = await measure.run()
    // Answers under way are read to their end, so that the next job finds an idle server.
    await Promise.race([Promise.all(lanes.map(({ ended }) => ended)), new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref())])
    return load
  } finally {
    for (const start of starts) clearTimeout(start)
    for (const socket of sockets) socket.destroy()
  }
}

interface Asking {
  readonly request: Buffer
  readonly stream: boolean
  readonly measure: Measure
}

class ChatLane {
  readonly #socket: Socket
  readonly #asking: Asking
  readonly #ended = Promise.withResolvers<void>()
  readonly #reader = new ReplyReader()
  #began = 0
  #first: number | undefined

  constructor(socket: Socket, asking: Asking) {
    this.#socket = socket
    this.#asking = asking
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (cause) => asking.measure.broke(cause))
    socket.on('close', () => {
      if (asking.measure.running) asking.measure.broke(new Error('The server closed a connection under load'))
      this.#ended.resolve()
    })
  }

  begin(): void {
    this.#ask()
  }

  /** Resolves when the time is over and its last answer has come. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  #ask(): void {
    this.#first = undefined
    this.#began = performance.now()
    this.#socket.write(this.#asking.request)
  }

  #take(chunk: Buffer): void {
    const now = performance.now()
    if (this.#asking.stream && this.#first === undefined && chunk.includes(FIRST_PIECE)) this.#first = now
    const reply = this.#reader.take(chunk)
    if (!reply) return
    this.#settle(reply, now)
    if (this.#asking.measure.running) this.#ask()
    else this.#ended.resolve()
  }

  #settle(reply: Reply, now: number): void {
    const { measure, stream } = this.#asking
    if (!isWhole(reply, stream)) return measure.failed(`${reply.status} ${reply.body}`)
    measure.replied(1)
    measure.took(now - this.#began, this.#first === undefined ? undefined : this.#first - this.#began)
  }
}

function isWhole({ status, body }: Reply, stream: boolean): boolean {
  return status === 200 && body.includes(LAST_PIECE) && (!stream || body.includes('data: [DONE]'))
}

function requestOf({ port, token, model, stream }: ChatJob): Buffer {
  const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Tell me something about gateways.' }] })
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    ...authorization(token),
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from([...head, '', body].join('\r\n'))
}
