/** Every transcript of the rpc dialect, step by step, through the dialect as the plugin registers it. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import type { Encoded, GatewayEvent, GreetingFacts, Json, JsonObject, Outcome, Wish } from '@isopod/plugin-api'
import plugin from '../index.ts'
import { contributionsOf, NOW } from '../../../fixtures/contributions.ts'

interface Step {
  readonly opens?: Omit<GreetingFacts, 'now'>
  readonly client?: JsonObject
  readonly asks?: Wish
  readonly answers?: { readonly id: Json; readonly method: string; readonly outcome: Outcome }
  readonly happens?: GatewayEvent
  readonly accepts?: { readonly id: Json; readonly facts: Omit<GreetingFacts, 'now'> }
  readonly gateway?: readonly JsonObject[]
}

const FOLDER = new URL('../../../fixtures/transcripts/rpc/', import.meta.url)
const rpc = contributionsOf(plugin).dialects.get('rpc') ?? assert.fail('there is no dialect rpc')

function say(step: Step): Encoded | Promise<Encoded> | undefined {
  if (step.opens) return rpc.greet({ ...step.opens, now: NOW })
  if (step.answers) return rpc.encode({ kind: 'outcome', ...step.answers }, null, NOW)
  if (step.happens) return rpc.encode({ kind: 'event', event: step.happens }, null, NOW)
  if (step.accepts) return rpc.encode({ kind: 'welcome', id: step.accepts.id, facts: { ...step.accepts.facts, now: NOW } }, null, NOW)
  return undefined
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
assert.ok(files.length > 0, 'there are no transcripts')

for (const file of files) {
  // A transcript is written by hand; a step of another shape fails its own assertion.
  const { title, steps } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as { title: string; steps: Step[] }
  test(`${file}: ${title}`, async () => {
    for (const [index, step] of steps.entries()) {
      if (step.client) assert.deepEqual((await rpc.decode(step.client, null)).wish, step.asks, `step ${index}`)
      else assert.deepEqual((await say(step))?.frames, step.gateway, `step ${index}`)
    }
  })
}
