/** A server that answers what a test wrote down, for what a well gateway does not say on demand. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Scripted {
  readonly url: string
  /** How many requests have come. */
  readonly asked: () => number
}

/** Each request is answered by the next of these, and those after the last by the last. */
export async function scriptedFor(test: TestContext, answers: readonly ((response: ServerResponse) => void)[]): Promise<Scripted> {
  let asked = 0
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => answers[Math.min(asked, answers.length) - 1]?.(response))
    asked += 1
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on TCP has such an address.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked }
}

export const busy = (response: ServerResponse): void => {
  response.writeHead(429, { 'retry-after': '0', 'content-type': 'application/json' })
  response.end('{"ok":false,"error":{"message":"Too many requests","type":"rate_limited","code":"RATE_LIMITED"}}')
}

export const well = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end('{"ok":true,"data":{"sessions":[]}}')
}
