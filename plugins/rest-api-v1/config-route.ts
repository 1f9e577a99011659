/**
 * `/api/v1/config`: read with its revision as the `ETag`, changed by a merge patch (RFC 7396) that says in `If-Match` which revision
 * it was made from.
 */
import { isObject, wrongParam } from '@isopod/plugin-api'
import type { JsonObject, Route, RouteEncoded, RouteHappening, Schema } from '@isopod/plugin-api'
import { reading } from './field.ts'

/** One strong or weak tag. A revision has no quotes in it; without them it is understood too. */
const TAG = /^\s*(?:W\/)?(?:"([^"]+)"|([^",*\s]+))\s*$/

const PATCH: Schema = { type: 'object', description: 'What is to change; null removes a field.' }
const REPLY: Schema = {
  type: 'object',
  required: ['config', 'revision', 'problems'],
  properties: {
    config: { type: 'object' },
    revision: { type: 'string', description: 'Also the ETag.' },
    problems: { type: 'array', items: { type: 'object' } },
  },
}

export const configRoutes: readonly Route[] = [
  {
    verb: 'GET',
    path: '/api/v1/config',
    call: 'config.get',
    describe: { summary: 'The config, without its secrets', reply: REPLY },
    decode: () => ({ params: {} }),
    encode: tagged,
  },
  {
    verb: 'PUT',
    path: '/api/v1/config',
    call: 'config.update',
    describe: { summary: 'Changes the config by a merge patch', body: PATCH, reply: REPLY },
    decode: ({ body, headers }) => reading(() => {
      if (!isObject(body)) throw wrongParam('body', 'must be a JSON object: a merge patch')
      const revision = revisionIn(headers['if-match'])
      return { params: { patch: body, ...(revision !== undefined && { revision }) } }
    }),
    encode: tagged,
  },
]

/** Undefined where any revision will do. */
function revisionIn(header: string | undefined): string | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  const [, quoted, bare] = TAG.exec(header) ?? []
  const revision = quoted ?? bare
  if (revision === undefined) throw wrongParam('if-match', 'must be one ETag of GET /api/v1/config')
  return revision
}

function tagged(what: RouteHappening): RouteEncoded | undefined {
  if (what.kind !== 'outcome' || !what.outcome.ok) return undefined
  // Both methods answer an object with the revision, by their own schemas.
  const body = what.outcome.value as JsonObject
  return { body, headers: { etag: `"${String(body['revision'])}"` } }
}
