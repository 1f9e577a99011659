/** One address listened on by uWebSockets, which says no more than that it could not; why is found out by trying the same with Node. */
import type { AddressInfo } from 'node:net'
import type { Listening } from './binding.ts'
import type { NativeApp, Uws } from './uws-native.ts'

const ATTEMPTS = 3

/** Rejects as Node does, with a `code`. */
export async function listenOn({ uws, app }: { uws: Uws; app: NativeApp }, host: string, port: number): Promise<Listening> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    // Told to choose a port itself, the library leaves out SO_REUSEADDR: the port could not be taken again for a minute.
    const wanted = port === 0 ? await probe(host, 0) : port
    const listening = tryToListen({ uws, app }, host, wanted)
    if (listening !== undefined) return listening
    await probe(host, port)
  }
  throw new Error('uWebSockets refused, and nothing seems to be in the way')
}

function tryToListen({ uws, app }: { uws: Uws; app: NativeApp }, host: string, port: number): Listening | undefined {
  let socket: unknown = false
  app.listen(host, port, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (listening) => {
    socket = listening
  })
  return socket ? { port: uws.us_socket_local_port(socket), release: () => uws.us_listen_socket_close(socket) } : undefined
}

/** The port that is free there. Rejects as Node does where the address cannot be listened on. */
async function probe(host: string, port: number): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      // A server that listens on an address and a port has both.
      const { port: free } = server.address() as AddressInfo
      server.close(() => resolve(free))
    })
  })
}
