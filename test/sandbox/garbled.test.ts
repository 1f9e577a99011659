import { test } from 'node:test'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { Json } from '@isopod/plugin-api'
import { bytesFrame, jsonFrame } from '../../sandbox/frames.ts'
import { LogGate } from '../../sandbox/log-gate.ts'
import { Walled } from '../../sandbox/walled.ts'
import { toMethod } from './wall.ts'

const DECLARED = { methods: [{ name: 'a.b', scope: 'read' }], routes: [], dialects: [], tools: [], models: [], channels: [], taps: [], starts: false, stops: false }

/** A child that says what it is given to say, whatever it is told: the first at once, the second when it is entered. */
function liar(first: readonly Uint8Array[], whenEntered: readonly Uint8Array[] = []): Walled {
  const [now, later] = [first, whenEntered].map((frames) => JSON.stringify(Buffer.concat(frames).toString('base64')))
  const script = `
    const say = (text) => process.stdout.write(Buffer.from(text, 'base64'))
    let heard = ''
    process.stdin.on('data', (chunk) => { heard += chunk; if (heard.includes('"enter"')) say(${later}), heard = '' })
    say(${now})`
  const child = spawn(process.execPath, ['-e', script], { env: {}, stdio: 'pipe' })
  const source = { id: 'liar', version: '1.0.0', entry: 'file:///nowhere.ts' }
  const gate = new LogGate(() => {})
  return new Walled({ source, api: 'file:///nowhere.ts', child, gate, loadMs: 10_000, stopMs: 10_000, heartbeatMs: 10_000, heartbeatMisses: 3 })
}

function message(json: Json): Uint8Array {
  return jsonFrame(JSON.stringify(json))
}

const LOADED = message({ type: 'declared', declared: DECLARED })

for (const [what, frames, reason] of [
  ['a length beyond the bound', [Uint8Array.of(255, 255, 255, 255)], /A frame announced 4294967295 bytes/],
  ['text that is no JSON', [jsonFrame('{"type":')], /holds no JSON/],
  ['JSON nested without end', [jsonFrame('['.repeat(10_000) + ']'.repeat(10_000))], /holds no JSON that may cross/],
  ['a message of no known type', [message({ type: 'exec', command: 'x' })], /no message/],
  ['a type that is a name of Object.prototype', [message({ type: 'constructor' })], /no message/],
  ['a field nobody knows', [message({ type: 'pong', beat: 1, more: 1 })], /no message/],
  ['a pong that was not asked for', [message({ type: 'pong', beat: 1 })], /a heartbeat that was not asked/],
  ['a result of an entry that was never made', [LOADED, message({ type: 'result', entry: 7 })], /not under way/],
  ['an op for an entry that was never made', [LOADED, message({ type: 'host', entry: 7, op: 1, name: 'gateway', args: [] })], /never made/],
  ['two declarations', [LOADED, LOADED], /declared itself twice/],
] as const) {
  test(`a child that sends ${what} is killed`, async (t) => {
    const walled = liar(frames)
    t.after(() => walled.close())
    await walled.load().catch(() => {})
    assert.match(await walled.ended, reason)
  })
}

test('a child that streams more than it has credit for is killed', async (t) => {
  const walled = liar([LOADED], Array.from({ length: 40 }, () => bytesFrame(1, Uint8Array.of(1))))
  t.after(() => walled.close())
  await walled.load()
  const reading = walled.stream(toMethod('a.b'))[Symbol.asyncIterator]().next()
  assert.match(await walled.ended, /streamed more than it had credit for/)
  assert.deepEqual(await reading, { done: false, value: Uint8Array.of(1) })
})

test('a refusal with a code nobody knows is no refusal', async (t) => {
  const walled = liar([LOADED], [message({ type: 'refusal', entry: 1, refusal: { code: 'root', message: 'x' } })])
  t.after(() => walled.close())
  await walled.load()
  await assert.rejects(walled.enter(toMethod('a.b')), /not running: it does not keep to the protocol: A frame holds JSON that is no message/)
})
