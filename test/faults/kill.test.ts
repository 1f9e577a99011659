/**
 * Twenty times the process is killed in the middle of everything at once. Whatever it had acknowledged is there, nothing is
 * there twice, and every run that was open says that it was interrupted.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { gatewayFor, type RpcSocket } from '../main-job/started.ts'
import { Dice } from './dice.ts'
import { HTTP_USER, mixedLoad, nothingWritten, SWITCHED, type Written } from './mixed-load.ts'

const KILLS = 20
/** A kill comes after so many things were heard at most: before the first run has begun, or long after. */
const HEARD = 60
const CONFIG = '# mine\ngateway: { limits: { requestsPerMinute: 0, callsPerMinute: 0, connections: 0 } }\n'

interface Told {
  readonly role: string
  readonly content: string
  readonly status?: string
}

describe('a gateway that is killed in the middle of everything', () => {
  it(`has lost nothing it acknowledged after ${KILLS} times, has nothing twice, and no run stays open`, async (test) => {
    const dice = new Dice()
    test.diagnostic(`FAULT_SEED=${dice.seed}`)
    const written = nothingWritten()
    let home: string | undefined
    for (let round = 0; round < KILLS; round += 1) {
      const gateway = await gatewayFor(test, home === undefined ? { config: CONFIG } : { home })
      home = gateway.home
      const socket = await gateway.socket()
      await checkPlugin(socket, written, dice)
      await checkRuns(socket, written, dice)
      let left = 1 + dice.below(HEARD)
      const heard = () => {
        left -= 1
        if (left === 0) gateway.signal('SIGKILL')
      }
      await mixedLoad({ gateway, written, round, heard })
      await gateway.kill('SIGKILL')
    }
    const last = await gatewayFor(test, home === undefined ? {} : { home })
    const socket = await last.socket()
    await checkPlugin(socket, written, dice)
    await checkRuns(socket, written, dice)
    await checkSessions(socket, written, dice)
    test.diagnostic(`${written.asked.size} were asked, ${written.answered.size} answered, ${written.endless.size} without an end`)
    assert.ok(written.answered.size > KILLS, `only ${written.answered.size} were answered: ${seedOf(dice)}`)
  })
})

/** The config is whole, and says of the switched plugin what was acknowledged last. */
async function checkPlugin(socket: RpcSocket, { switched }: Written, dice: Dice): Promise<void> {
  const { ok, payload } = await socket.call('plugin.list')
  assert.equal(ok, true)
  const { state } = (payload as { plugins: { id: string; state: string }[] }).plugins.find(({ id }) => id === SWITCHED) ?? {}
  if (switched !== undefined) assert.equal(state, switched ? 'ready' : 'disabled', seedOf(dice))
  else assert.match(state ?? '', /^(ready|disabled)$/, seedOf(dice))
}

/** Asked after each start: later rounds fill the sessions, which remember the last fifty of their runs. */
async function checkRuns(socket: RpcSocket, { begun, endless }: Written, dice: Dice): Promise<void> {
  for (const [runId, sessionKey] of begun) {
    const { ok, payload } = await socket.call('chat.resume', { runId })
    // One that was told of only to this process, before its turn was kept, would be unknown; a run is told of after that.
    assert.equal(ok, true, `${runId} in ${sessionKey}: ${seedOf(dice)}`)
    const { status } = payload as { status: string }
    assert.match(status, endless.has(runId) ? /^interrupted$/ : /^(done|interrupted)$/, `${runId} in ${sessionKey}: ${seedOf(dice)}`)
  }
  begun.clear()
}

async function checkSessions(socket: RpcSocket, { asked, answered }: Written, dice: Dice): Promise<void> {
  const said = await everySession(socket)
  const users = [...said.values()].flat().filter(({ role }) => role === 'user').map(({ content }) => content)
  const twice = users.filter((content, at) => users.indexOf(content) !== at)
  assert.deepEqual(twice, [], seedOf(dice))
  assert.deepEqual(users.filter((content) => !asked.has(content)), [], seedOf(dice))
  for (const [message, response] of answered) {
    const [, session = []] = [...said].find(([key]) => isIn(key, asked.get(message) ?? '')) ?? []
    const at = session.findIndex(({ role, content }) => role === 'user' && content === message)
    assert.notEqual(at, -1, `${message} is lost: ${seedOf(dice)}`)
    const answers = session.filter(({ role, content }) => role === 'assistant' && content === response)
    assert.equal(answers.length, 1, `the answer to ${message} is there ${answers.length} times: ${seedOf(dice)}`)
  }
}

/** The rows of the list agree with what is in the sessions. */
async function everySession(socket: RpcSocket): Promise<Map<string, readonly Told[]>> {
  const { payload } = await socket.call('session.list', { limit: 1_000 })
  const rows = (payload as { sessions: { sessionKey: string; messageCount: number }[] }).sessions
  assert.equal(new Set(rows.map(({ sessionKey }) => sessionKey)).size, rows.length)
  const said = new Map<string, readonly Told[]>()
  for (const { sessionKey, messageCount } of rows) {
    const reply = await socket.call('session.get', { sessionKey, limit: 1_000 })
    const { messages } = reply['payload'] as unknown as JsonObject & { messages: Told[] }
    assert.equal(messages.filter(({ role, content }) => (role === 'user' || role === 'assistant') && content !== '').length, messageCount, sessionKey)
    said.set(sessionKey, messages)
  }
  return said
}

function isIn(key: string, meant: string): boolean {
  return meant === 'http' ? key.includes(HTTP_USER) : key === meant
}

function seedOf({ seed }: Dice): string {
  return `again with FAULT_SEED=${seed}`
}
