/** One row as an operation: what it reads from path, query and body, and what it answers. */
import { isObject } from '@isopod/plugin-api'
import type { Method, Route, Schema } from '@isopod/plugin-api'
import type { Bound } from '../collector.ts'
import { errorSchemaOf } from '../http/families.ts'

type Fields = Readonly<Record<string, Schema>>

/** An object schema, as the rows and methods have them. */
interface ObjectSchema {
  readonly properties?: Fields
  readonly required?: readonly string[]
}

const JSON_TYPE = 'application/json'
const OTHER = 'What the method answers, told apart by its status.'

/** A row's path in OpenAPI's spelling, which has no word for a segment that takes the rest. */
export function templateOf(path: string): string {
  return path.replaceAll('+}', '}')
}

/** @param method the one the row calls; undefined for a row that calls any. */
export function operationOf({ item: route, instance }: Bound<Route>, method: Method | undefined): object {
  const { verb, path, describe = {} } = route
  const segments = [...path.matchAll(/\{(\w+)\+?\}/g)].map(([, name]) => name ?? '')
  const body = verb === 'GET' || verb === 'DELETE' ? undefined : bodyOf(route, method, segments)
  return {
    operationId: idOf(verb, path),
    tags: [instance.id],
    summary: describe.summary ?? method?.description ?? 'Calls a method by its name.',
    description: meaningOf(route, method),
    ...(route.auth !== undefined && route.auth !== 'token' && { security: [] }),
    parameters: [...segments.map((name) => parameter(name, 'path', fieldOf(method, name))), ...queryOf(route, method, segments)],
    ...(body && { requestBody: { required: isNeeded(body), content: { [JSON_TYPE]: { schema: body } } } }),
    responses: responsesOf(route, method),
  }
}

/** `getV1SessionsSessionKey`: unique, since verb and path are. */
function idOf(verb: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return [verb.toLowerCase(), ...words.map((word) => word[0]?.toUpperCase() + word.slice(1))].join('')
}

function meaningOf({ call, auth }: Route, method: Method | undefined): string {
  if (!method) return 'Calls the method that the body names, with the scope it needs.'
  if (auth === 'own') return `Calls \`${call}\`, which checks a credential of its own.`
  return method.scope === 'public' ? `Calls \`${call}\`.` : `Calls \`${call}\`; needs the scope \`${method.scope}\`.`
}

/** What the row says of its body, or else the method's params but for what stands in the path. */
function bodyOf({ describe, decode }: Route, method: Method | undefined, segments: readonly string[]): Schema | undefined {
  if (describe?.body !== undefined) return describe.body
  if (decode) return undefined
  const { params } = method ?? {}
  if (!isObject(params)) return undefined
  const { properties = {}, required = [] } = params as ObjectSchema
  const rest = Object.fromEntries(Object.entries(properties).filter(([name]) => !segments.includes(name)))
  return Object.keys(rest).length === 0 ? undefined : { ...params, properties: rest, required: required.filter((name) => !segments.includes(name)) }
}

function isNeeded(body: Schema): boolean {
  return isObject(body) && ((body as ObjectSchema).required?.length ?? 0) > 0
}

function queryOf({ verb, describe, decode }: Route, method: Method | undefined, segments: readonly string[]): readonly object[] {
  const given = describe?.query
  const schema = given ?? (verb === 'GET' || verb === 'DELETE' ? (decode ? undefined : method?.params) : undefined)
  if (!isObject(schema)) return []
  const { properties = {}, required = [] } = schema as ObjectSchema
  const names = Object.entries(properties).filter(([name]) => !segments.includes(name))
  return names.map(([name, field]) => parameter(name, 'query', field, required.includes(name)))
}

function parameter(name: string, place: 'path' | 'query', schema: Schema, required = true): object {
  const { description, ...rest } = isObject(schema) ? (schema as { readonly description?: string }) : {}
  return { name, in: place, required, ...(description !== undefined && { description }), schema: isObject(schema) ? rest : schema }
}

function fieldOf(method: Method | undefined, name: string): Schema {
  const properties = isObject(method?.params) ? (method.params as ObjectSchema).properties : undefined
  return properties?.[name] ?? { type: 'string' }
}

function responsesOf({ path, describe = {}, encode, auth }: Route, method: Method | undefined): object {
  const reply = describe.reply ?? (encode ? {} : (method?.result ?? {}))
  const whole = describe.streams === 'always' ? {} : { [JSON_TYPE]: { schema: reply } }
  const stream = describe.streams === undefined ? {} : { 'text/event-stream': { schema: { type: 'string' } } }
  const refusal = (description: string) => ({ description, content: { [JSON_TYPE]: { schema: errorSchemaOf(path) } } })
  const others = Object.entries(describe.otherReplies ?? {}).map(([status, schema]) => [status, { description: OTHER, content: { [JSON_TYPE]: { schema } } }])
  return {
    ...Object.fromEntries(others),
    [String(describe.status ?? 200)]: { description: 'What the method answers.', content: { ...whole, ...stream } },
    // A public row refuses like any other: its input may be wrong, and it may be asked too often.
    '4XX': refusal(auth === 'public' ? 'Refused.' : 'Refused: for its input, its credential, or how often it was asked.'),
    '5XX': refusal('The gateway could not carry it out.'),
  }
}
