/** A thousand clients at once, and a thousand that vanish: the gateway answers everyone who stays and keeps nothing of the others. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { WebSocket } from 'ws'
import { gatewayFor, type StartedGateway } from '../main-job/started.ts'
import { MIB, residentBytes } from './memory.ts'

const CROWD = 1_000
const CONFIG = 'gateway: { limits: { requestsPerMinute: 0, callsPerMinute: 0, connections: 0 } }\n'
const PING = JSON.stringify({ id: 1, method: 'system.ping', params: {} })

async function dial({ url, token }: StartedGateway, hasCredential: boolean): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), hasCredential ? { headers: { authorization: `Bearer ${token}` } } : {})
  socket.on('error', () => {})
  await once(socket, 'open')
  return socket
}

/** In tens of tens, so that the machine's own queue of new connections is not what is tested. */
async function inHundreds(count: number, each: (index: number) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < count; start += 100) await Promise.all(Array.from({ length: Math.min(100, count - start) }, (_, index) => each(start + index)))
}

describe('a thousand sockets', () => {
  it('that are open at once are all answered', async (test) => {
    const gateway = await gatewayFor(test, { config: CONFIG })
    const sockets: WebSocket[] = []
    await inHundreds(CROWD, async () => void sockets.push(await dial(gateway, true)))
    const answers = await Promise.all(sockets.map(async (socket) => {
      const answered = new Promise<string>((resolve) => socket.on('message', (text) => String(text).includes('"pong"') && resolve(String(text))))
      socket.send(PING)
      return answered
    }))
    assert.equal(answers.filter((answer) => answer.includes('"ok":true')).length, CROWD)
    for (const socket of sockets) socket.terminate()
  })

  it('that connect and vanish leave no memory behind, whatever they were in the middle of', async (test) => {
    const gateway = await gatewayFor(test, { config: CONFIG })
    const vanish = async (index: number) => {
      const socket = await dial(gateway, index % 2 === 0)
      if (index % 4 < 2) socket.send(PING)
      if (index % 8 === 0) socket.send('{"id":2,"method":"session.list","par')
      socket.terminate()
      await once(socket, 'close')
    }
    // The first thousand fill what is filled once.
    await inHundreds(CROWD, vanish)
    assert.equal((await gateway.fetch('/status')).status, 200)
    const before = await residentBytes(gateway.pid)
    for (let round = 0; round < 2; round += 1) await inHundreds(CROWD, vanish)
    const socket = await gateway.socket()
    assert.partialDeepStrictEqual(await socket.call('system.ping'), { ok: true })
    const grown = (await residentBytes(gateway.pid)) - before
    assert.ok(grown < 48 * MIB, `${grown} bytes more after ${2 * CROWD} sockets that vanished`)
  })

  it('that all ask over HTTP at once are all answered', async (test) => {
    const gateway = await gatewayFor(test, { config: CONFIG })
    const statuses = await Promise.all(Array.from({ length: CROWD }, async () => {
      const response = await gateway.fetch('/status')
      await response.text()
      return response.status
    }))
    assert.deepEqual([...new Set(statuses)], [200])
  })
})
