/** A TCP connection between a client and a gateway, in a test's hands: it can be cut, held up, or led to another gateway. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export class Wire {
  readonly url: string
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #target: URL
  #isDown = false

  constructor(port: number, target: string) {
    this.url = `http://127.0.0.1:${port}`
    this.#target = new URL(target)
  }

  /** A connection has come. */
  join(client: Socket): void {
    if (this.#isDown) return void client.destroy()
    const gateway = connect(Number(this.#target.port), this.#target.hostname)
    const pair = [client, gateway] as const
    this.#pairs.add(pair)
    for (const [from, to] of [pair, [gateway, client] as const]) {
      from.pipe(to)
      from.on('error', () => {})
      from.on('close', () => {
        to.destroy()
        this.#pairs.delete(pair)
      })
    }
  }

  /** Destroys every connection at once, in the middle of whatever it carries. The next is let through. */
  cut(): void {
    for (const [client, gateway] of this.#pairs) {
      client.resetAndDestroy()
      gateway.resetAndDestroy()
    }
  }

  /** Nothing passes any more on the connections there are, and nobody is told. The next is let through. */
  hold(): void {
    for (const pair of this.#pairs) {
      for (const socket of pair) socket.unpipe().pause()
    }
  }

  /** Cuts, and lets nobody through until it is up again. */
  down(): void {
    this.#isDown = true
    this.cut()
  }

  up(target = this.#target.href): void {
    this.#target = new URL(target)
    this.#isDown = false
  }
}

/** A wire to a gateway, for as long as a test runs. */
export async function wireFor(test: TestContext, target: string): Promise<Wire> {
  const server = createServer((client) => wire.join(client))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  // A server that listens on TCP has such an address.
  const wire = new Wire((server.address() as AddressInfo).port, target)
  test.after(() => {
    wire.down()
    server.close()
  })
  return wire
}
