/**
 * The TypeScript client in a real browser: a page of another origin, which the owner has named, talks to a gateway over HTTP and over the
 * WebSocket, and tells the test what it heard. The page is headless Chromium's, wherever one is installed.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startGateway } from '../main-job/started.ts'

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']
const browser = [process.env['CHROMIUM'], ...BROWSERS].find((path) => path !== undefined && existsSync(path))
const PACK = new URL('../../clients/typescript/pack.mjs', import.meta.url)

/** As root it needs the first flag; the others keep it from asking the network for anything of its own. */
const FLAGS = ['--no-sandbox', '--headless', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** What the page runs. Everything it learns, and every mistake, goes to \`/told\`. */
const page = (gateway: { readonly url: string; readonly token: string }) => `<!doctype html><script type="module">
const tell = (told) => fetch('/told', { method: 'POST', body: JSON.stringify(told) })
try {
  const { OpenClawClient } = await import('/client/index.js')
  const client = new OpenClawClient({ baseUrl: ${JSON.stringify(gateway.url)}, token: ${JSON.stringify(gateway.token)} })
  const { content } = await client.message('from a page')
  let streamed = ''
  for await (const { delta } of client.agent.stream({ message: 'word by word' })) streamed += delta ?? ''
  const connection = await client.connect()
  const ping = await connection.call('system.ping', {})
  const run = connection.run({ message: 'over the socket' })
  const heard = []
  for await (const { type } of run) heard.push(type)
  const { response } = await run.result
  connection.close()
  const refusal = await new OpenClawClient({ baseUrl: ${JSON.stringify(gateway.url)}, token: 'wrong' }).call('system.ping').catch(({ code, status }) => ({ code, status }))
  await tell({ content, streamed, ping, response, heard, refusal })
} catch (thrown) {
  await tell({ thrown: String(thrown?.stack ?? thrown) })
}
</script>`

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

/** A site with the page and the packed client. Answers its origin, and what the page tells. */
async function site(t: TestContext, html: () => string): Promise<{ origin: string; told: Promise<Record<string, unknown>> }> {
  const folder = await mkdtemp(join(tmpdir(), 'isopod-browser-'))
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  execFileSync(process.execPath, [PACK.pathname, folder])
  const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>()
  const server = createServer(async (request, response) => {
    const path = request.url ?? '/'
    if (path === '/told') resolve(JSON.parse(await textOf(request)) as Record<string, unknown>)
    const isScript = /^\/client\/[\w-]+\.js$/.test(path)
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? await readFile(join(folder, path.slice('/client/'.length))) : html())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, told: promise }
}

const skip = browser === undefined && 'there is no Chromium here; name one in CHROMIUM'
test('a page of another origin has the whole client', { skip }, async (t) => {
  let html = ''
  const { origin, told } = await site(t, () => html)
  const gateway = await startGateway({ config: `gateway: { cors: { origins: ["${origin}"] } }\n` })
  t.after(() => gateway.remove())
  html = page(gateway)
  const profile = await mkdtemp(join(tmpdir(), 'isopod-profile-'))
  const child = spawn(browser ?? '', [...FLAGS, `--user-data-dir=${profile}`, '--remote-debugging-port=0', origin], { stdio: 'ignore', detached: true })
  t.after(async () => {
    // Its helpers too, which would outlive it.
    process.kill(-Number(child.pid), 'SIGKILL')
    await once(child, 'exit')
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  })
  const { thrown, content, streamed, ping, response, heard, refusal } = await told
  assert.equal(thrown, undefined)
  assert.match(String(content), /from a page/)
  assert.match(String(streamed), /word by word/)
  assert.equal(typeof ping, 'object')
  assert.match(String(response), /over the socket/)
  assert.ok((heard as string[]).includes('chat.delta') && (heard as string[]).at(-1) === 'chat.done', JSON.stringify(heard))
  assert.deepEqual(refusal, { code: 'unauthorized', status: 401 })
})
