/**
 * Templates of mappings: what a payload says becomes a message. They reach into `payload`, `headers` and `query` and can do
 * nothing else: no files, no further templates, no inherited properties, and an end to what they may render.
 */
import { RpcError, type JsonObject } from '@isopod/plugin-api'
import type { Liquid } from 'liquidjs'

/** Of rendered text, in characters: a message longer than that helps no model. */
const RENDER_LENGTH = 200_000
const RENDER_MS = 500
/** Allocations in liquidjs' own count: enough for a list of a few thousand items. */
const MEMORY = 4_000_000

/** Tags that read other templates. */
const CLOSED_TAGS = ['include', 'render', 'layout', 'block']

let engine: Promise<Liquid> | undefined

/** @throws RpcError `invalid_request` where the template is wrong, or asks for more than it may; names the mapping's field. */
export async function rendered(template: string, subject: JsonObject, what: string): Promise<string> {
  if (!template.includes('{{') && !template.includes('{%')) return template
  try {
    const liquid = await (engine ??= opened())
    const text = String(await liquid.parseAndRender(template, subject))
    if (text.length > RENDER_LENGTH) throw new Error(`it renders more than ${RENDER_LENGTH} characters`)
    return text
  } catch (cause) {
    throw new RpcError('invalid_request', `The template of ${what} failed: ${(cause as Error).message}`, { cause })
  }
}

/** Loaded when the first template is rendered: most gateways have none. */
async function opened(): Promise<Liquid> {
  const { Liquid: Engine } = await import('liquidjs')
  const liquid = new Engine({
    ownPropertyOnly: true,
    templates: {},
    parseLimit: RENDER_LENGTH,
    renderLimit: RENDER_MS,
    memoryLimit: MEMORY,
  })
  for (const tag of CLOSED_TAGS) delete liquid.tags[tag]
  return liquid
}
