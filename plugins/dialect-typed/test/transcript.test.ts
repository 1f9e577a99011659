/** Every transcript of the typed dialect, step by step, through the dialect as the plugin registers it. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import plugin from '../index.ts'
import { contributionsOf } from '../../../fixtures/contributions.ts'
import { follow, transcriptsOf } from '../../../fixtures/conversation.ts'

const typed = contributionsOf(plugin).dialects.get('typed') ?? assert.fail('there is no dialect typed')

for (const transcript of transcriptsOf('typed')) {
  test(`${transcript.file}: ${transcript.title}`, () => follow(typed, transcript))
}
