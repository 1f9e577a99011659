// Holds the description of the HTTP side against the gateway: lints it, then starts a gateway the way a person does and tells it every
// HTTP story through a proxy that checks each request and each reply against the description the gateway itself serves. A reply that is
// not as described fails; so does a request that is not, where the gateway carried it out. Plain JavaScript for whatever Node there is.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configOf, HOOK_TOKEN, stories } from '../test/openapi/stage.mjs'
import { tell } from '../test/openapi/telling.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const launcher = join(root, 'kernel/cli/launcher.mjs')
const tools = join(root, '.ci/tools/run.mjs')
/** A start that takes this long has failed. */
const PATIENCE_MS = 60_000
/** Neither tool is to ask anybody on the network anything. */
const quiet = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' }

const lint = spawnSync(process.execPath, [tools, 'redocly', 'lint', 'docs/generated/openapi.json'], { cwd: root, env: quiet, stdio: 'inherit' })
if (lint.status !== 0) process.exit(lint.status ?? 1)

const home = mkdtempSync(join(tmpdir(), 'isopod-openapi-'))
const running = []
const patience = setTimeout(() => stop('it took too long'), PATIENCE_MS)
try {
  process.exitCode = await proxied()
} finally {
  clearTimeout(patience)
  await Promise.all(running.map(ended))
  rmSync(home, { recursive: true, force: true })
}

/** Answers the exit code. */
async function proxied() {
  writeFileSync(join(home, 'gateway.yaml'), configOf())
  const gateway = start([launcher, 'start', '--port', '0'], { ...process.env, ISOPOD_HOME: home })
  const [, url] = await printed(gateway, /listens on (\S+)[\s\S]*?ISOPOD_TOKEN=\S+/)
  const [, token] = await printed(gateway, /ISOPOD_TOKEN=(\S+)/)
  const document = join(home, 'openapi.json')
  const served = await fetch(new URL('/openapi.json', url), { headers: { authorization: `Bearer ${token}` } })
  assert.equal(served.status, 200, 'the gateway does not describe itself')
  writeFileSync(document, await served.text())
  const port = await freePort()
  // The dynamic port of `--port 0` is never printed.
  const proxy = start([tools, 'prism', 'proxy', '--host', '127.0.0.1', '--port', String(port), document, url.replace(/\/$/, '')], quiet)
  await printed(proxy, /Prism is listening/)
  return told({ url: `http://127.0.0.1:${port}`, gateway: url, known: { token, hookToken: HOOK_TOKEN } })
}

async function told(to) {
  const wrong = []
  const counted = { checked: 0, direct: 0 }
  for (const { name, story } of stories()) {
    const heard = (said) => {
      counted[said.isDirect ? 'direct' : 'checked'] += 1
      wrong.push(...violations(said).map((text) => `${name}: ${text}`))
    }
    await tell(story, { ...to, heard }).catch((error) => wrong.push(`${name}: ${error.message}`))
  }
  for (const text of wrong) console.error(text)
  console.log(`${counted.checked} requests through the proxy, ${counted.direct} beside it, ${wrong.length} violations`)
  return wrong.length === 0 ? 0 : 1
}

/** What the proxy holds against a reply, or against a request that the gateway carried out. */
function violations({ request, reply }) {
  const all = JSON.parse(reply.headers.get('sl-violations') ?? '[]')
  const isDone = reply.status >= 200 && reply.status < 300
  const counts = ({ location: [place] }) => place === 'response' || isDone
  return all.filter(counts).map((one) => `${request.verb} ${request.path} -> ${reply.status}: ${one.location.join('.')} ${one.message}`)
}

function start(args, env) {
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  child.said = ''
  const heard = (chunk) => {
    child.said += chunk
    child.emit('said')
  }
  child.stdout.on('data', heard)
  child.stderr.on('data', heard)
  child.over = once(child, 'exit').finally(() => child.emit('said'))
  running.push(child)
  return child
}

/** Resolves with the match once the process has printed it. */
async function printed(child, pattern) {
  const match = pattern.exec(child.said)
  if (match) return match
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} and had printed: ${child.said}`)
  await new Promise((resolve) => child.once('said', resolve))
  return printed(child, pattern)
}

/** Ends a process with all that it started: both are launched through others. */
async function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  process.kill(-child.pid, 'SIGKILL')
  await child.over
}

function stop(why) {
  console.error(`${why}; the processes had printed:\n${running.map(({ said }) => said.slice(-2000)).join('\n')}`)
  for (const child of running) if (child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  rmSync(home, { recursive: true, force: true })
  process.exit(1)
}

async function freePort() {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
}
