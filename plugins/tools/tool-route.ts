/**
 * Running a tool by plain HTTP: `POST /api/tools/invoke {tool, params}`, and `POST /tools/invoke {tool or name, args}`, as the native
 * clients write it. Both take either spelling, and answer `{"ok":true,"result"}`.
 */
import { isObject } from '@isopod/plugin-api'
import type { Json, Refusal, Route, RouteDecoded, RouteRequest, Schema } from '@isopod/plugin-api'

/** Fields by the names of `tool.invoke`, and the other names each goes by. */
const NAMES: Readonly<Record<string, readonly string[]>> = { tool: ['tool', 'name'], params: ['params', 'args'], agentId: ['agentId'] }
const KNOWN = Object.values(NAMES).flat()

const BODY: Schema = {
  type: 'object',
  properties: {
    tool: { type: 'string', description: 'The tool\'s name; also `name`.' },
    params: { type: 'object', description: 'What the tool is given; also `args`.' },
    agentId: { type: 'string' },
  },
}

const REPLY: Schema = { type: 'object', required: ['ok', 'result'], properties: { ok: { const: true }, result: {} } }

export const toolRoutes: readonly Route[] = ['/api/tools/invoke', '/tools/invoke'].map((path) => ({
  verb: 'POST',
  path,
  call: 'tool.invoke',
  describe: { summary: 'Runs a tool', body: BODY, reply: REPLY },
  decode,
  encode(what) {
    if (what.kind !== 'outcome' || !what.outcome.ok) return undefined
    // `tool.invoke` answers this shape, by its own schema.
    return { body: { ok: true, result: (what.outcome.value as { readonly result: Json }).result } }
  },
}))

function decode({ body }: RouteRequest): RouteDecoded {
  if (!isObject(body)) return { refuse: { code: 'invalid_request', message: 'Invalid request body: it must be a JSON object' } }
  const unknown = Object.keys(body).find((name) => !KNOWN.includes(name))
  if (unknown !== undefined) return { refuse: wrong(unknown, `is not known here; there are ${KNOWN.join(', ')}`) }
  const twice = Object.values(NAMES).find((names) => names.filter((name) => isGiven(body[name])).length > 1)
  if (twice !== undefined) return { refuse: wrong(twice[1] ?? '', `is another name for ${twice[0]}; send one of the two`) }
  if (!NAMES['tool']?.some((name) => isGiven(body[name]))) return { refuse: wrong('tool', 'is required: the name of the tool') }
  const fields = Object.entries(NAMES).flatMap(([field, names]) => {
    const value = names.map((name) => body[name]).find(isGiven)
    return isGiven(value) ? [[field, value] as const] : []
  })
  return { params: Object.fromEntries(fields) }
}

/** Clients send null for what they leave out. */
function isGiven(value: Json | undefined): value is Exclude<Json, null> {
  return value !== undefined && value !== null
}

function wrong(param: string, problem: string): Refusal {
  return { code: 'invalid_request', message: `${param} ${problem}`, param }
}
