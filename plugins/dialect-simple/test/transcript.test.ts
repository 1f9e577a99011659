/** Every transcript of the simple dialect, step by step, through the dialect as the plugin registers it. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import plugin from '../index.ts'
import { contributionsOf } from '../../../fixtures/contributions.ts'
import { follow, transcriptsOf } from '../../../fixtures/conversation.ts'

const simple = contributionsOf(plugin).dialects.get('simple') ?? assert.fail('there is no dialect simple')

for (const transcript of transcriptsOf('simple')) {
  test(`${transcript.file}: ${transcript.title}`, () => follow(simple, transcript))
}
