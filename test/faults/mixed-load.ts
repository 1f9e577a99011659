/**
 * A load of everything a gateway does at once (runs over sockets and over HTTP, reads, plugins switched off and on), which
 * writes down what it was told: what was acknowledged, what was said at all, and which runs nobody has heard the end of.
 */
import type { JsonObject } from '@isopod/plugin-api'
import type { RpcSocket, StartedGateway } from '../main-job/started.ts'

export interface Written {
  /** What users said, whether anyone answered or not, with the session they said it in. */
  readonly asked: Map<string, string>
  /** What was answered, by what was asked. */
  readonly answered: Map<string, string>
  /** Runs that were told to have begun, by id, with their session; and those of them that cannot have ended. */
  readonly begun: Map<string, string>
  readonly endless: Set<string>
  /** Whether the switched plugin was last told to be on; undefined while a switch is under way. */
  switched: boolean | undefined
}

export const nothingWritten = (): Written => ({ asked: new Map(), answered: new Map(), begun: new Map(), endless: new Set(), switched: true })

/** Who talks over HTTP; a session is named after them. */
export const HTTP_USER = 'ada'
/** The plugin that is switched off and on. */
export const SWITCHED = 'system'

interface Lane {
  readonly gateway: StartedGateway
  readonly written: Written
  readonly round: number
  /** Called at everything that is heard. */
  readonly heard: () => void
}

/** Goes on until the gateway is gone. */
export async function mixedLoad(lane: Lane): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: 4 }, () => lane.gateway.socket()))
  const [talking, talkingToo, reading, switching] = sockets
  if (!talking || !talkingToo || !reading || !switching) return
  const lanes = [endless(talking, lane), talk(talking, 'a', lane), talk(talkingToo, 'b', lane), talkOverHttp(lane), read(reading, lane), turnOffAndOn(switching, lane)]
  await Promise.allSettled(lanes)
  for (const socket of sockets) noteBegun(socket, lane.written)
}

async function talk(socket: RpcSocket, name: string, { written, round, heard }: Lane): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const message = `round ${round} socket ${name} turn ${turn}.`
    const sessionKey = `socket-${name}-${turn % 3}`
    written.asked.set(message, sessionKey)
    const { ok, payload } = await socket.call('chat.run', { message, sessionKey })
    if (ok === true) written.answered.set(message, String((payload as JsonObject)['response']))
    heard()
  }
}

async function talkOverHttp({ gateway, written, round, heard }: Lane): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const message = `round ${round} HTTP turn ${turn}.`
    written.asked.set(message, 'http')
    const response = await gateway.fetch('/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'openclaw', user: HTTP_USER, messages: [{ role: 'user', content: message }] }),
    })
    const { choices } = (await response.json()) as { choices?: readonly { message: { content: string } }[] }
    if (choices?.[0]) written.answered.set(message, choices[0].message.content)
    heard()
  }
}

async function read(socket: RpcSocket, { heard }: Lane): Promise<never> {
  for (;;) {
    await socket.call('session.list')
    await socket.call('session.get', { sessionKey: 'socket-a-0' })
    heard()
  }
}

async function turnOffAndOn(socket: RpcSocket, { written, heard }: Lane): Promise<never> {
  for (let on = false; ; on = !on) {
    written.switched = undefined
    const { ok } = await socket.call(on ? 'plugin.enable' : 'plugin.disable', { id: SWITCHED })
    if (ok === true) written.switched = on
    heard()
  }
}

/** A run that says a word and then nothing for a minute. */
async function endless(socket: RpcSocket, { written, round, heard }: Lane): Promise<void> {
  const sessionKey = `endless-${round % 4}`
  const message = `/slow 60000\nround ${round}.`
  written.asked.set(message, sessionKey)
  socket.send('chat.run', { message, sessionKey })
  const { data } = await socket.first((frame) => frame['type'] === 'chat.delta' && (frame['data'] as JsonObject)['sessionKey'] === sessionKey)
  written.endless.add(String((data as JsonObject)['runId']))
  heard()
}

function noteBegun(socket: RpcSocket, { begun }: Written): void {
  for (const type of ['chat.started', 'chat.delta']) {
    for (const { runId, sessionKey } of socket.events(type)) begun.set(String(runId), String(sessionKey))
  }
}
