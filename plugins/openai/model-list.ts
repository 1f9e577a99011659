/** `GET /v1/models` and `GET /v1/models/{id}`: the agents' names first, then every model a provider is configured for. */
import type { Json, JsonObject, Route, RouteHappening } from '@isopod/plugin-api'
import type { ModelRow } from '../models/contract.ts'
import { seconds } from './completion.ts'
import { MODEL_REPLY, MODELS_REPLY } from './description.ts'
import { errorBody } from './error-body.ts'

/** Names of the default agent, which every client may ask for. */
const AGENTS = ['openclaw', 'isopod']

interface Listed {
  readonly id: string
  readonly object: 'model'
  readonly created: number
  readonly owned_by: string
}

export const modelsRoute: Route = {
  verb: 'GET',
  path: '/v1/models',
  call: 'model.list',
  describe: { summary: 'Lists models, the agents\' names first', reply: MODELS_REPLY },
  // Clients add paging to the query; the list has one page.
  decode: () => ({ params: {} }),
  encode(what, _state, now) {
    const models = listed(what, now)
    return models && { body: { object: 'list', data: models.map(body) } }
  },
}

export const modelRoute: Route = {
  verb: 'GET',
  // A model's id has a slash in it, which some clients escape and others do not.
  path: '/v1/models/{id+}',
  call: 'model.list',
  describe: { summary: 'One model', reply: MODEL_REPLY },
  decode: ({ segments }) => ({ params: {}, state: segments['id'] ?? '' }),
  encode(what, id, now) {
    const models = listed(what, now)
    if (!models) return undefined
    const model = models.find((candidate) => candidate.id === id)
    return model ? { body: body(model) } : { status: 404, body: unknownModel(id) }
  },
}

/** What is listed, or undefined for what is no list, which the URL's family spells. */
function listed(what: RouteHappening, now: number): readonly Listed[] | undefined {
  if (what.kind !== 'outcome' || !what.outcome.ok) return undefined
  // `model.list` answers this shape: models' own contract.
  const { models } = what.outcome.value as { readonly models: readonly ModelRow[] }
  const since = models.reduce((earliest, { created }) => Math.min(earliest, created), seconds(now))
  return [
    ...AGENTS.map((id) => ({ id, object: 'model', created: since, owned_by: 'isopod' }) as const),
    ...models.map(({ id, created, provider }) => ({ id, object: 'model', created, owned_by: provider }) as const),
  ]
}

function body(model: Listed): JsonObject {
  return { ...model }
}

function unknownModel(id: Json): JsonObject {
  const message = `There is no model ${JSON.stringify(id)}; GET /v1/models lists them`
  return { ok: false, ...errorBody({ code: 'not_found', message, param: 'model' }) }
}
