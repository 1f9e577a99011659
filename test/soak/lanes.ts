/**
 * What a gateway is kept busy with: everything its clients do, each at a pace of its own that does not change while memory is
 * judged, so that whatever grows is the gateway's doing. Every lane says what it expects, and what comes otherwise is counted.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { JsonObject } from '@isopod/plugin-api'
import { Client, type Reply } from './client.ts'

export interface Target {
  readonly url: string
  readonly token: string
}

export interface Tally {
  /** How often each lane came to its end. */
  readonly done: Map<string, number>
  /** What was not as expected, in sentences, and how often. */
  readonly odd: Map<string, number>
}

type Step = (turn: number) => Promise<void>

interface Lane {
  readonly everyMs: number
  /** Opens what it needs for the whole time. */
  readonly open: (target: Target) => Promise<Step>
}

const SESSIONS = 40
const SWITCHED = 'dialect-simple'
/** Longer than any soak: it is aborted. */
const ENDLESS = '/slow 60000\nsay something long'

const LANES: Readonly<Record<string, Lane>> = {
  calls: { everyMs: 10, open: calls },
  chats: { everyMs: 50, open: chats },
  aborts: { everyMs: 200, open: aborts },
  resumed: { everyMs: 500, open: resumed },
  completions: { everyMs: 100, open: completions },
  streams: { everyMs: 200, open: streams },
  hangUps: { everyMs: 500, open: hangUps },
  visitors: { everyMs: 100, open: visitors },
  strangers: { everyMs: 500, open: strangers },
  deletes: { everyMs: 500, open: deletes },
  switches: { everyMs: 10_000, open: switches },
}

export interface Load {
  readonly target: Target
  readonly tally: Tally
  /** How many times its pace each lane goes now. */
  readonly speed: () => number
  readonly signal: AbortSignal
}

/** Runs all lanes until the signal; resolves when each has ended its last step. */
export async function runLanes(load: Load): Promise<void> {
  await Promise.all(Object.entries(LANES).map(([name, lane]) => runLane(name, lane, load)))
}

async function runLane(name: string, { everyMs, open }: Lane, { target, tally, speed, signal }: Load): Promise<void> {
  const step = await open(target)
  let due = performance.now()
  for (let turn = 0; !signal.aborted; turn += 1) {
    await step(turn).then(() => count(tally.done, name), (thrown: Error) => count(tally.odd, `${name}: ${thrown.message}`))
    // One that is late is not made up for: a burst after a pause is no steady load.
    due = Math.max(due + everyMs / speed(), performance.now())
    await pause(due - performance.now(), undefined, { signal }).catch(() => {})
  }
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}

/** @throws Error what was expected, and what came. */
function expect(isSo: boolean, expected: string, came: unknown): void {
  if (!isSo) throw new Error(`${expected} was expected, and not ${JSON.stringify(came).slice(0, 200)}`)
}

async function calls(target: Target): Promise<Step> {
  const client = await Client.dial(target.url, target.token)
  const asked: readonly (readonly [string, JsonObject])[] = [
    ['system.ping', {}],
    ['session.list', { limit: 20 }],
    ['system.status', {}],
    ['plugin.list', {}],
    ['session.get', { sessionKey: 'soak-0', limit: 5 }],
    ['no.such', {}],
  ]
  return async (turn) => {
    const [method, params] = asked[turn % asked.length] ?? ['', {}]
    const reply = await client.call(method, params)
    // The session may have been deleted a moment ago.
    expect(method === 'session.get' || reply.ok === (method !== 'no.such'), method, reply)
  }
}

async function chats({ url, token }: Target): Promise<Step> {
  const client = await Client.dial(url, token)
  return async (turn) => {
    const reply = await client.call('chat.run', { message: `turn ${turn}: ${'word '.repeat(40)}`, sessionKey: `soak-${turn % SESSIONS}` })
    expect(reply.ok || isGone(reply), 'an answer', reply)
  }
}

async function aborts({ url, token }: Target): Promise<Step> {
  const client = await Client.dial(url, token)
  return async () => {
    const told = client.next('chat.delta')
    const answer = client.call('chat.run', { message: ENDLESS, sessionKey: 'soak-aborted' })
    const { runId } = await told
    await client.call('chat.abort', { runId: String(runId) })
    const reply = await answer
    expect((reply['error'] as JsonObject | null)?.['code'] === 'CANCELLED', 'a cancelled run', reply)
  }
}

async function resumed({ url, token }: Target): Promise<Step> {
  return async () => {
    const first = await Client.dial(url, token)
    const told = first.next('chat.delta')
    void first.call('chat.run', { message: '/slow 20\none two three', sessionKey: 'soak-resumed' }).catch(() => {})
    const { runId } = await told
    await first.leave('terminate')
    const second = await Client.dial(url, token)
    const done = second.next('chat.done')
    const reply = await second.call('chat.resume', { runId: String(runId), after: 1 })
    expect(reply.ok, 'a resumed run', reply)
    await done
    await second.leave('close')
  }
}

async function completions(target: Target): Promise<Step> {
  return async (turn) => {
    const response = await complete(target, `user-${turn % SESSIONS}`, false)
    const body = (await response.json()) as JsonObject
    expect(response.status === 200, 'a completion', body)
  }
}

async function streams(target: Target): Promise<Step> {
  return async (turn) => {
    const response = await complete(target, `user-${turn % SESSIONS}`, true)
    const text = await response.text()
    expect(text.endsWith('data: [DONE]\n\n'), 'a whole stream', text.slice(-200))
  }
}

async function hangUps(target: Target): Promise<Step> {
  return async () => {
    const leaving = new AbortController()
    const response = await complete(target, 'hanging-up', true, '/slow 50\n', leaving.signal)
    await response.body?.getReader().read()
    leaving.abort()
  }
}

function complete({ url, token }: Target, user: string, stream: boolean, prefix = '', signal?: AbortSignal): Promise<Response> {
  const body = { model: 'openclaw', user, stream, messages: [{ role: 'user', content: `${prefix}${'several words '.repeat(20)}` }] }
  return ask({ url, token }, '/v1/chat/completions', { method: 'POST', body: JSON.stringify(body), ...(signal && { signal }) })
}

async function visitors({ url, token }: Target): Promise<Step> {
  return async (turn) => {
    const client = await Client.dial(url, token)
    if (turn % 2 === 0) await client.call('events.subscribe', { events: ['session.changed', 'presence'] })
    const reply = await client.call('system.ping')
    expect(reply.ok, 'a pong', reply)
    await client.leave(turn % 3 === 0 ? 'terminate' : 'close')
  }
}

async function strangers({ url }: Target): Promise<Step> {
  return async (turn) => {
    const response = await ask({ url, token: `wrong-${turn}` }, '/v1/models')
    await response.text()
    expect([401, 429].includes(response.status), 'a refusal', response.status)
  }
}

async function deletes(target: Target): Promise<Step> {
  const client = await Client.dial(target.url, target.token)
  return async () => {
    const { payload } = await client.call('session.list', { limit: 1_000 })
    const rows = (payload as unknown as { sessions: { sessionKey: string; messageCount: number }[] }).sessions
    const [longest] = rows.toSorted((one, other) => other.messageCount - one.messageCount)
    if (longest) expect((await client.call('session.delete', { sessionKey: longest.sessionKey })).ok, 'a deleted session', longest)
  }
}

async function switches(target: Target): Promise<Step> {
  const client = await Client.dial(target.url, target.token)
  return async (turn) => {
    const reply = await client.call(turn % 2 === 0 ? 'plugin.disable' : 'plugin.enable', { id: SWITCHED })
    expect(reply.ok, `${SWITCHED} to be switched`, reply)
  }
}

/** Deleting a session ends what goes on in it. */
function isGone(reply: Reply): boolean {
  return ['CANCELLED', 'CONFLICT', 'NOT_FOUND'].includes(String((reply['error'] as JsonObject | null)?.['code']))
}

function ask({ url, token }: Target, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, url), { ...init, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } })
}
