/** A request through the plugin's own row, with the events and the outcome a test gives it in place of the gateway. */
import type { GatewayEvent, Json, JsonObject, Outcome, RouteDecoded, RouteEncoded } from '@isopod/plugin-api'
import plugin from '../index.ts'
import { contributionsOf, NOW } from '../../../fixtures/contributions.ts'

export const openai = contributionsOf(plugin)

export interface Asked {
  readonly verb: string
  readonly path: string
  readonly body?: Json
  readonly segments?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly body: Json | undefined
  /** The `data` of each frame; undefined where nothing was streamed. */
  readonly stream: readonly string[] | undefined
}

/** What the row makes of a request. */
export function decoded({ verb, path, body, segments = {} }: Asked): RouteDecoded | Promise<RouteDecoded> {
  const decode = rowFor(verb, path).decode
  if (!decode) throw new Error(`${verb} ${path} decodes nothing`)
  return decode({ path, segments, query: {}, headers: {}, body })
}

/** What the client gets, or undefined where the row leaves it to the URL's family. Each happening comes a second later. */
export async function answered(asked: Asked, happens: { readonly hears?: readonly GatewayEvent[]; readonly outcome: Outcome }): Promise<Answer | undefined> {
  const first = await decoded(asked)
  if ('refuse' in first) throw new Error(first.refuse.message)
  let state = first.state ?? null
  let last: RouteEncoded | undefined
  const stream: string[] = []
  const all = [...(happens.hears ?? []).map((event) => ({ kind: 'event', event }) as const), { kind: 'outcome', outcome: happens.outcome } as const]
  for (const [index, what] of all.entries()) {
    last = await rowFor(asked.verb, asked.path).encode?.(what, state, NOW + index * 1000)
    if (last?.state !== undefined) state = last.state
    for (const { data } of last?.frames ?? []) stream.push(typeof data === 'string' ? data : JSON.stringify(data))
  }
  return last && { status: last.status ?? 200, body: last.body, stream: last.frames ? stream : undefined }
}

/** The request of a completion. */
export function completion(body: JsonObject): Asked {
  return { verb: 'POST', path: '/v1/chat/completions', body: { model: 'openclaw', messages: [{ role: 'user', content: 'Hi' }], ...body } }
}

function rowFor(verb: string, path: string): ReturnType<typeof openai.route> {
  return openai.route(`${verb} ${path.startsWith('/v1/models/') ? '/v1/models/{id+}' : path}`)
}
