/** What holding `register` to its word costs a process that opens no WebSocket. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

const DECLARE_ONLY = new URL('../../kernel/declare-only.ts', import.meta.url).href
const SCRIPT = `
  import { declareOnly } from '${DECLARE_ONLY}'
  const loaded = () => process.moduleLoadList.some((name) => name.endsWith('undici/undici'))
  declareOnly(() => {})
  const before = loaded()
  const socket = new WebSocket('ws://127.0.0.1:1')
  console.log(JSON.stringify({ before, after: loaded(), isOne: socket instanceof WebSocket, name: WebSocket.name }))
  process.exit()
`

test('Node\'s HTTP client is loaded by the first WebSocket, and not by forbidding one in register', () => {
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', SCRIPT], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  assert.deepEqual(JSON.parse(said), { before: false, after: true, isOne: true, name: 'WebSocket' })
})
