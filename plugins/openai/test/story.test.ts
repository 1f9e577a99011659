/** Every HTTP story of the endpoint, through the rows as the plugin registers them. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import type { GatewayEvent, Json, JsonObject, Outcome } from '@isopod/plugin-api'
import { answered, decoded, type Asked } from './row.ts'

interface Story {
  readonly title: string
  readonly request: Asked
  readonly asks?: { readonly method: string; readonly params: JsonObject }
  readonly hears?: readonly GatewayEvent[]
  readonly outcome?: Outcome
  readonly response?: { readonly status: number; readonly body?: Json; readonly stream?: readonly string[] }
}

const FOLDER = new URL('../../../fixtures/http/openai/', import.meta.url)
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
assert.ok(files.length > 0, 'there are no stories')

for (const file of files) {
  // A story is written by hand; one of another shape fails its own assertion.
  const { title, request, asks, hears = [], outcome, response } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Story
  test(`${file}: ${title}`, async () => {
    const asked = await decoded(request)
    assert.ok('params' in asked)
    if (asks) assert.deepEqual(asked.params, asks.params)
    if (!outcome) return
    const answer = await answered(request, { hears, outcome })
    assert.deepEqual(answer, response && { body: undefined, stream: undefined, ...response })
  })
}
