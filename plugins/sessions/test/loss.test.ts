import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RpcError } from '@isopod/plugin-api'
import sessions from '../index.ts'
import { assistant, scriptedGateway, user, type ScriptedGateway } from './scripted-gateway.ts'

test('runs that begin and end at once in one session lose nothing and count right', async () => {
  const gateway = scriptedGateway(sessions)
  await Promise.all(Array.from({ length: 40 }, async (_, index) => {
    await gateway.call('session.begin', { sessionKey: 's', runId: `r${index}`, messages: [user(`q${index}`)], history: 5 })
    await gateway.call('session.commit', { sessionKey: 's', runId: `r${index}`, messages: [assistant(`a${index}`)], status: 'done' })
  }))
  const { messages, messageCount } = await gateway.call('session.get', { sessionKey: 's' })
  const expected = Array.from({ length: 40 }, (_, index) => [`q${index}`, `a${index}`]).flat()
  assert.deepEqual(messages.map(({ content }) => content).toSorted(), expected.toSorted())
  assert.equal(messageCount, 80)
  for (let index = 0; index < 40; index += 1) assert.equal((await gateway.call('session.run', { runId: `r${index}` })).response, `a${index}`)
  assert.equal((await gateway.call('session.list', {})).sessions.length, 1)
})

test('a session that always changes first is given up with a refusal that may be retried', async () => {
  const gateway = scriptedGateway(sessions)
  gateway.store.trouble = (operation) => {
    if (operation === 'write') throw new RpcError('conflict', 'somebody was quicker')
  }
  const begin = gateway.call('session.begin', { sessionKey: 's', runId: 'r', messages: [user('x')], history: 0 })
  await assert.rejects(begin, { code: 'conflict', retryable: true })
})

/** What a session must hold: what was acknowledged, in order. */
type Expected = Map<string, string[]>

/** Runs in two sessions, ended in any order, with restarts between. */
const steps = fc.array(fc.oneof(
  fc.record({ do: fc.constant('begin' as const), session: fc.constantFrom('a', 'b') }),
  fc.record({ do: fc.constant('commit' as const), which: fc.nat(5) }),
  fc.record({ do: fc.constant('restart' as const) }),
), { maxLength: 20 })

test('whatever operation of the store fails, what was acknowledged is there and what was refused is not', async () => {
  await fc.assert(fc.asyncProperty(steps, fc.array(fc.nat(3), { maxLength: 60 }), async (story, failures) => {
    const gateway = scriptedGateway(sessions)
    const expected: Expected = new Map([['a', []], ['b', []]])
    let operations = 0
    gateway.store.trouble = () => {
      if (failures[operations++] === 0) throw new RpcError('unavailable', 'The disk would not take it', { retryable: true })
    }
    await tell(gateway, story, expected)
    gateway.store.trouble = () => {}
    await gateway.restart()
    for (const [key, contents] of expected) assert.deepEqual(await contentsOf(gateway, key), contents)
    assert.equal(gateway.store.documents.get('open')?.size ?? 0, 0)
    await assertIndexFits(gateway)
  }), { numRuns: 150 })
})

async function tell(gateway: ScriptedGateway, story: readonly { do: string; session?: string; which?: number }[], expected: Expected) {
  const open: { runId: string; sessionKey: string }[] = []
  const acknowledged = (work: Promise<unknown>) => work.then(() => true, (thrown) => assert.equal(thrown.code, 'unavailable') ?? false)
  for (const [index, step] of story.entries()) {
    gateway.pass(1)
    if (step.do === 'restart') {
      // A start that fails is tried again; runs it did not reach are still open in the store.
      while (!(await acknowledged(gateway.restart())));
      open.length = 0
    } else if (step.do === 'begin') {
      const run = { runId: `r${index}`, sessionKey: step.session ?? '' }
      if (!(await acknowledged(gateway.call('session.begin', { ...run, messages: [user(`q${index}`)], history: 3 })))) continue
      expected.get(run.sessionKey)?.push(`q${index}`)
      open.push(run)
    } else {
      const run = open[step.which ?? 0]
      if (!run || !(await acknowledged(gateway.call('session.commit', { ...run, messages: [assistant(`a${index}`)], status: 'done' })))) continue
      expected.get(run.sessionKey)?.push(`a${index}`)
      open.splice(step.which ?? 0, 1)
    }
  }
}

async function contentsOf(gateway: ScriptedGateway, sessionKey: string): Promise<string[]> {
  const { sessions: rows } = await gateway.call('session.list', {})
  if (!rows.some((row) => row.sessionKey === sessionKey)) return []
  const { messages } = await gateway.call('session.get', { sessionKey })
  return messages.map(({ content }) => content).filter((content) => content !== '')
}

async function assertIndexFits(gateway: ScriptedGateway): Promise<void> {
  const { sessions: rows } = await gateway.call('session.list', {})
  assert.equal(rows.length, gateway.store.documents.get('sessions')?.size ?? 0)
  for (const row of rows) {
    const { messages: _, ...told } = await gateway.call('session.get', { sessionKey: row.sessionKey })
    assert.deepEqual(row, told)
  }
}
