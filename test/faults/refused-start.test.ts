/** A gateway that cannot start, and one that is called by a name that is not its own: each says so, and what to do. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { gatewayFor, startGateway } from '../main-job/started.ts'
import { ON_READ_ONLY_DISK, whyNoDisk, WITHOUT_POWERS } from './disk.ts'

const noDisk = whyNoDisk()

async function homeFor(test: TestContext): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'isopod-home-'))
  test.after(() => rm(home, { recursive: true, force: true }))
  return home
}

describe('a start that comes to nothing', () => {
  it('for a port that another gateway has says who has it and what to do', async (test) => {
    const first = await gatewayFor(test)
    const { port } = new URL(first.url)
    const home = await homeFor(test)
    await assert.rejects(startGateway({ home, port }), new RegExp(`${port} is [^]*process ${first.pid}\\)[^]*another port`))
    assert.equal((await fetch(new URL('/healthz', first.url))).status, 200)
  })

  it('for a port that another program has leaves the home free for the next', async (test) => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    test.after(() => other.close())
    const port = String((other.address() as AddressInfo).port)
    const home = await homeFor(test)
    await assert.rejects(startGateway({ home, port }), new RegExp(`${port} is [^]*process ${process.pid}\\)`))
    assert.deepEqual((await readdir(home)).filter((name) => name.includes('holder')), [])
    await gatewayFor(test, { home })
  })

  it('for a home that is a file, or in one, names it and says what to do', async (test) => {
    const file = join(await homeFor(test), 'file')
    await writeFile(file, 'mine')
    for (const home of [file, join(file, 'deeper')]) {
      await assert.rejects(startGateway({ home }), new RegExp(`The home ${home} cannot be used .*Make it a folder that this user may write, or set ISOPOD_HOME to one`))
    }
  })

  it('for a home it may not write in says so, why, and what to do', { skip: noDisk ?? false }, async (test) => {
    const home = await homeFor(test)
    const refusal = (why: string) => new RegExp(`The home ${home} cannot be used \\(${why}: .*\\)\\. Make it a folder that this user may write, or set ISOPOD_HOME to one`)
    await assert.rejects(startGateway({ home, through: ON_READ_ONLY_DISK }), refusal('EROFS'))
    await chmod(home, 0o555)
    await assert.rejects(startGateway({ home, through: WITHOUT_POWERS }), refusal('EACCES'))
    assert.deepEqual(await readdir(home), [])
  })
})

describe('a gateway that is called by another name', () => {
  const ask = async (url: string, headers: Record<string, string>): Promise<number | undefined> => {
    const asked = request(new URL('/v1/models', url), { headers }).end()
    const [response] = await once(asked, 'response')
    response.resume()
    return response.statusCode
  }

  it('answers 421 to another Host and 403 to a page of another origin, on HTTP and on sockets', async (test) => {
    const gateway = await gatewayFor(test)
    const authorization = `Bearer ${gateway.token}`
    for (const [headers, status] of [[{ host: 'evil.example' }, 421], [{ origin: 'http://evil.example' }, 403]] as const) {
      assert.equal(await ask(gateway.url, { authorization, ...headers }), status)
      const socket = new WebSocket(gateway.url.replace('http', 'ws'), { headers: { authorization, ...headers } })
      socket.on('error', () => {})
      const [, response] = await once(socket, 'unexpected-response')
      assert.equal(response.statusCode, status)
      socket.terminate()
    }
    assert.equal(await ask(gateway.url, { authorization }), 200)
  })
})
