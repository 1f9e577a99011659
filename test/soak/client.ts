/** A client of the rpc dialect that keeps nothing of what it has heard: the memory that is measured must not be its own. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { JsonObject } from '@isopod/plugin-api'

export interface Reply extends JsonObject {
  readonly ok: boolean
}

export class Client {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, { resolve(reply: Reply): void; reject(reason: Error): void }>()
  #ids = 0
  /** Called with each event. */
  heard: (name: string, data: JsonObject) => void = () => {}

  static async dial(url: string, token: string): Promise<Client> {
    const socket = new WebSocket(url.replace('http', 'ws'), { headers: { authorization: `Bearer ${token}` } })
    const client = new Client(socket)
    await once(socket, 'open')
    return client
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('message', (text) => this.#take(JSON.parse(String(text)) as JsonObject))
    socket.on('close', () => this.#lost())
  }

  /** Rejects where the socket closes first. */
  call(method: string, params: JsonObject = {}): Promise<Reply> {
    const id = (this.#ids += 1)
    this.#socket.send(JSON.stringify({ id, method, params }))
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  /** The data of the next event of this name. */
  next(name: string): Promise<JsonObject> {
    return new Promise((resolve) => {
      this.heard = (heard, data) => {
        if (heard === name) resolve(data)
      }
    })
  }

  /** As a client ends, or as a network is lost. */
  leave(how: 'close' | 'terminate'): Promise<unknown> {
    const gone = once(this.#socket, 'close')
    this.#socket[how]()
    return gone
  }

  #take(frame: JsonObject): void {
    const { id, type, data } = frame
    if (typeof id !== 'number') {
      this.heard(String(type), (data ?? {}) as JsonObject) // the dialect's events carry an object
      return
    }
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.resolve(frame as Reply) // what has an id is a reply
  }

  #lost(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the socket closed'))
    this.#waiting.clear()
  }
}
