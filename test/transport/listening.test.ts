import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { verifies } from '../requirements.ts'
import { CERTIFICATE, KEY, OTHER_KEY } from './certificate.ts'
import { client, Told } from './told.ts'
import { onBoth, OPTIONS, SILENT, type Bench } from './harness.ts'
import { bindAll } from '../../kernel/transport/binding.ts'
import type { TransportOptions } from '../../kernel/transport/transport.ts'

function make({ factory, t }: Bench, options: Partial<TransportOptions>) {
  const transport = factory({ ...OPTIONS, ...options }, SILENT)
  t.after(() => transport.close())
  return transport
}

onBoth('a port that is taken is refused with its address, who holds it and what to do', async (bench) => {
  const { port } = await bench.start({})
  const holder = process.platform === 'linux' ? `${basename(process.execPath)} [^ ]+ \\(process ${process.pid}\\)` : 'another process'
  await assert.rejects(make(bench, { port }).listen(), {
    message: new RegExp(`^127\\.0\\.0\\.1:${port} is in use by ${holder}\\. Stop it, or choose another port \\(`),
  })
})

onBoth('a port that another program took is refused too', async (bench) => {
  const server = createServer().listen(0, '127.0.0.1')
  bench.t.after(() => server.close())
  await once(server, 'listening')
  // A server that listens on an address and port has one.
  const { port } = server.address() as AddressInfo
  await assert.rejects(make(bench, { port }).listen(), /is in use by/)
})

onBoth('an address that is not this machine has is refused with a sentence', async (bench) => {
  await assert.rejects(make(bench, { hosts: ['127.0.0.1', '203.0.113.7'] }).listen(), /^Error: 203\.0\.113\.7:\d+ cannot be listened on: this machine does not have that address/)
})

onBoth('where one of several addresses fails none stays bound', async (bench) => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  await assert.rejects(make(bench, { port, hosts: ['127.0.0.1', '203.0.113.7'] }).listen())
  assert.equal((await make(bench, { port }).listen()).port, port)
})

onBoth('several addresses get the same free port', async (bench) => {
  const { port, hosts } = await make(bench, { hosts: ['127.0.0.1', '::1'] }).listen()
  assert.ok(port > 0)
  assert.equal(hosts[0], '127.0.0.1')
  for (const host of hosts) assert.equal((await fetch(`http://${host.includes(':') ? `[${host}]` : host}:${port}`)).status, 200)
})

onBoth('a peer over IPv6 has its short address, one over mapped IPv4 the IPv4 one', async ({ factory, t }) => {
  const transport = factory({ ...OPTIONS, hosts: ['0.0.0.0', '::'] }, { ...SILENT, request: (exchange) => exchange.reply(200, {}, exchange.remoteAddress) })
  t.after(() => transport.close())
  const { port, hosts } = await transport.listen()
  assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), '127.0.0.1')
  if (hosts.includes('::')) assert.equal(await (await fetch(`http://[::1]:${port}`)).text(), '::1')
})

onBoth('after stopListening nobody new comes in, and who is in stays', async ({ factory, t }) => {
  const told = new Told()
  const transport = factory(OPTIONS, { ...SILENT, ...told.handlers })
  t.after(() => transport.close())
  const { port } = await transport.listen()
  const url = `http://127.0.0.1:${port}`
  const socket = await client({ name: transport.name, port, url, dial: () => assert.fail() }, t)
  transport.stopListening()
  transport.stopListening()
  await assert.rejects(fetch(url))
  assert.equal(told.socket.send('still here'), true)
  assert.equal(String((await once(socket, 'message'))[0]), 'still here')
})

onBoth('close ends requests and sockets at once, and frees the port', async (bench) => {
  const told = new Told()
  const aborted = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const transport = bench.factory(OPTIONS, {
    ...SILENT,
    ...told.handlers,
    request(exchange) {
      exchange.signal.addEventListener('abort', () => aborted.resolve())
      arrived.resolve()
    },
  })
  const { port } = await transport.listen()
  const url = `http://127.0.0.1:${port}`
  const socket = await client({ name: transport.name, port, url, dial: () => assert.fail() }, bench.t)
  const answer = assert.rejects(fetch(url))
  await arrived.promise
  await transport.close()
  await transport.close()
  await Promise.all([aborted.promise, answer, told.until(/^close 1006/), socket.readyState === WebSocket.CLOSED || once(socket, 'close')])
  assert.equal((await make(bench, { port }).listen()).port, port)
})

onBoth('close before listen is nothing', async ({ factory }) => {
  await factory(OPTIONS, SILENT).close()
})

/** The files that an owner would name. */
async function pair(t: TestContext): Promise<{ certFile: string; keyFile: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'isopod-tls-'))
  t.after(() => rm(folder, { recursive: true }))
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  await Promise.all([writeFile(certFile, CERTIFICATE), writeFile(keyFile, KEY)])
  return { certFile, keyFile, folder }
}

onBoth('with a certificate it serves https and wss', async (bench) => {
  verifies('002:tls')
  const tls = await pair(bench.t)
  const { port } = await make(bench, { tls }).listen()
  const sent = request({ host: '127.0.0.1', port, rejectUnauthorized: false, agent: false })
  sent.end()
  const [response] = await once(sent, 'response')
  assert.equal(String((await response.toArray())[0]), 'ok')
  const socket = new WebSocket(`wss://127.0.0.1:${port}/`, { rejectUnauthorized: false })
  bench.t.after(() => socket.terminate())
  await once(socket, 'open')
})

onBoth('a certificate that cannot be used is refused with a sentence that names it', async (bench) => {
  const tls = await pair(bench.t)
  const broken = join(tls.folder, 'broken.pem')
  const other = join(tls.folder, 'other.pem')
  await Promise.all([writeFile(broken, 'no key'), writeFile(other, OTHER_KEY)])
  const missing = join(tls.folder, 'missing.pem')
  await assert.rejects(make(bench, { tls: { ...tls, certFile: missing } }).listen(), /The TLS certificate .*missing\.pem cannot be read/)
  await assert.rejects(make(bench, { tls: { ...tls, keyFile: broken } }).listen(), /broken\.pem cannot be used together/)
  await assert.rejects(make(bench, { tls: { ...tls, keyFile: other } }).listen(), /cannot be used together: .*mismatch/)
})

onBoth('plain text on the TLS port is not served', async (bench) => {
  const { port } = await make(bench, { tls: await pair(bench.t) }).listen()
  await assert.rejects(fetch(`http://127.0.0.1:${port}`))
})

/** What the system says where it has no such family. */
function without(code: string, missing: (host: string) => boolean) {
  const released: string[] = []
  const bind = (host: string, port: number) =>
    missing(host)
      ? Promise.reject(Object.assign(new Error(`listen ${code}`), { code }))
      : Promise.resolve({ port: port === 0 ? 4711 : port, release: () => released.push(host) })
  return { bind, released }
}

test('an address whose family the machine lacks is left out, as long as another is bound', async () => {
  for (const code of ['EAFNOSUPPORT', 'EADDRNOTAVAIL']) {
    const { bind } = without(code, (host) => host === '::1')
    const { hosts, port } = await bindAll({ hosts: ['127.0.0.1', '::1'], port: 0, bind })
    assert.deepEqual([hosts, port], [['127.0.0.1'], 4711])
    await assert.rejects(bindAll({ hosts: ['::1'], port: 1, bind }), /^Error: \[::1\]:1 cannot be listened on/)
  }
})

test('a free port that is taken on the second address is given up for another', async () => {
  let next = 5000
  const bind = (host: string, port: number) =>
    host === '::1' && port < 5002
      ? Promise.reject(Object.assign(new Error('taken'), { code: 'EADDRINUSE' }))
      : Promise.resolve({ port: port === 0 ? next++ : port, release: () => {} })
  assert.equal((await bindAll({ hosts: ['127.0.0.1', '::1'], port: 0, bind })).port, 5002)
})

test('the IPv6 wildcard covers the IPv4 one', async () => {
  const asked: string[] = []
  const bind = (host: string) => {
    asked.push(host)
    return Promise.resolve({ port: 1, release: () => {} })
  }
  assert.deepEqual((await bindAll({ hosts: ['0.0.0.0', '::'], port: 1, bind })).hosts, ['0.0.0.0', '::'])
  assert.deepEqual(asked, ['::'])
})

test('a privileged port is refused with what to do', async () => {
  const { bind } = without('EACCES', () => true)
  await assert.rejects(bindAll({ hosts: ['127.0.0.1'], port: 80, bind }), /127\.0\.0\.1:80 cannot be listened on: permission denied\. Choose a port above 1023/)
})
