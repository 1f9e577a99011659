/** One address listened on by uWebSockets, which says no more than that it could not; why is found out by trying the same with Node. */
import type { Listening } from './binding.ts'
import type { NativeApp, Uws } from './uws-native.ts'

/** Rejects as Node does, with a `code`. */
export async function listenOn({ uws, app }: { uws: Uws; app: NativeApp }, host: string, port: number): Promise<Listening> {
  for (let attempt = 1; ; attempt++) {
    let socket: unknown = false
    app.listen(host, port, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (listening) => {
      socket = listening
    })
    if (socket) return { port: uws.us_socket_local_port(socket), release: () => uws.us_listen_socket_close(socket) }
    await probe(host, port)
    if (attempt > 1) throw new Error('uWebSockets refused, and nothing seems to be in the way')
  }
}

/** Rejects as Node does where the address cannot be listened on. */
async function probe(host: string, port: number): Promise<void> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()))
  })
}
