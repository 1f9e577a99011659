// Starts the gateway the way a person does, with `npm start` and whatever Node this machine has, says one thing to it with
// fetch, and stops it with a signal. Plain JavaScript, because the machine's Node may be too old for the sources.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** A start that takes this long has failed. */
const PATIENCE_MS = 60_000

for (const [how, command, args] of [
  ['npm start', 'npm', ['start', '--silent', '--', '--port', '0']],
  [`the launcher under Node ${process.version}`, process.execPath, [join(root, 'kernel/cli/launcher.mjs'), 'start', '--port', '0']],
]) {
  const home = mkdtempSync(join(tmpdir(), 'isopod-start-'))
  try {
    await tryOut(how, command, args, home)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

async function tryOut(how, command, args, home) {
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ISOPOD_HOME: home }, stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
  const patience = setTimeout(() => process.kill(-Number(child.pid), 'SIGKILL'), PATIENCE_MS)
  try {
    const { url, token } = await banner(child, exited)
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ model: 'isopod', messages: [{ role: 'user', content: 'Hello from the start' }] })
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
    const completion = await response.json()
    assert.match(completion.choices?.[0]?.message?.content ?? JSON.stringify(completion), /Hello from the start/)
    // The whole group, as a terminal does on Ctrl-C: npm passes no signals on by itself.
    process.kill(-Number(child.pid), 'SIGINT')
    await exited
    await assert.rejects(fetch(`${url}/health`), 'it still answers after it was stopped')
    console.log(`${how}: listened, answered, stopped`)
  } finally {
    clearTimeout(patience)
  }
}

/** What it prints when it listens. */
async function banner(child, exited) {
  let printed = ''
  const listening = new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      printed += chunk
      const url = /listens on (\S+)/.exec(printed)?.[1]
      const token = /ISOPOD_TOKEN=(\S+)/.exec(printed)?.[1]
      if (url && token) resolve({ url, token })
    })
  })
  const result = await Promise.race([listening, exited])
  assert.ok(result?.url, `it ended with ${result} and had printed: ${printed}`)
  return result
}
