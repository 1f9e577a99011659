/**
 * The gateway's HTTP side as an OpenAPI 3.1 document, made from the rows and schemas of the generation in force: what is not loaded
 * is not in it. It describes and promises nothing by itself; the rows and the schemas are what answers.
 */
import type { JsonObject, Route } from '@isopod/plugin-api'
import type { Bound } from '../collector.ts'
import type { Generation } from '../generation.ts'
import { errorSchemas } from '../http/families.ts'
import { operationOf, templateOf } from './operation.ts'

const ABOUT = `One gateway in every spelling that is documented: each path is a row onto a method, and methods are described where they are
called by name (\`/api/rpc\`). The WebSocket, which speaks the same methods, is not part of this document.`

/** Every way to show a credential that the gateway takes; any one will do. */
const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'The gateway\'s token, or a named one.' },
  basic: { type: 'http', scheme: 'basic', description: 'Any user name; the password or a token as the password.' },
  tokenHeader: { type: 'apiKey', in: 'header', name: 'X-OpenClaw-Token' },
  passwordHeader: { type: 'apiKey', in: 'header', name: 'X-OpenClaw-Password' },
  tokenQuery: { type: 'apiKey', in: 'query', name: 'token', description: 'From this machine only, unless `gateway.auth.query` says otherwise.' },
} as const

/** The document of a generation, as plain JSON. */
export function openapiOf(generation: Generation, version: string): JsonObject {
  const rows = [...generation.routes.values()].sort(byPath)
  const document = {
    openapi: '3.1.0',
    info: { title: 'Isopod gateway', version, description: ABOUT, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/', description: 'The gateway that serves this document.' }],
    security: Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })),
    tags: tagsOf(rows),
    paths: pathsOf(rows, generation),
    components: { securitySchemes: SECURITY_SCHEMES, schemas: errorSchemas() },
  }
  // Made of schemas, names and texts only.
  return document as unknown as JsonObject
}

function byPath({ item: left }: Bound<Route>, { item: right }: Bound<Route>): number {
  return left.path === right.path ? (left.verb < right.verb ? -1 : 1) : left.path < right.path ? -1 : 1
}

function tagsOf(rows: readonly Bound<Route>[]): readonly object[] {
  const plugins = new Map(rows.map(({ instance }) => [instance.id, instance.manifest.description ?? 'The gateway itself.']))
  return [...plugins].map(([name, description]) => ({ name, description }))
}

function pathsOf(rows: readonly Bound<Route>[], generation: Generation): object {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const row of rows) {
    const path = templateOf(row.item.path)
    paths[path] ??= {}
    paths[path][row.item.verb.toLowerCase()] = operationOf(row, generation.methods.get(row.item.call)?.item)
  }
  return paths
}
