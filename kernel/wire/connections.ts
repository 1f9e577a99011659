/** All open sockets: made when the transport opens one, forgotten when it closes, told when the gateway goes away. */
import type { Front } from '../front.ts'
import type { Socket } from '../transport/socket.ts'
import { Connection } from './connection.ts'
import type { Admission } from './upgrade.ts'

export class Connections {
  readonly #front: Front
  readonly #open = new Map<number, Connection>()

  constructor(front: Front) {
    this.#front = front
  }

  get size(): number {
    return this.#open.size
  }

  opened(socket: Socket): void {
    // The transport hands back what `decideUpgrade` answered as its data.
    const connection = new Connection(this.#front, socket, socket.data as Admission)
    this.#open.set(socket.id, connection)
    connection.greet()
  }

  message(socket: Socket, text: string, binary: boolean): void {
    this.#open.get(socket.id)?.message(text, binary)
  }

  drain(socket: Socket): void {
    this.#open.get(socket.id)?.drain()
  }

  closed(socket: Socket): void {
    const connection = this.#open.get(socket.id)
    this.#open.delete(socket.id)
    connection?.closed()
  }

  /** Closes those a test picks out: all of them when the gateway stops, a caller's when its credential has lapsed. */
  close(code: number, reason: string, which: (connection: Connection) => boolean = () => true): void {
    for (const connection of this.#open.values()) if (which(connection)) connection.close(code, reason)
  }
}
