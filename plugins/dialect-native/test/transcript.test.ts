/** Every transcript of the native dialect, step by step, through the dialect as the plugin registers it. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import plugin from '../index.ts'
import { contributionsOf } from '../../../fixtures/contributions.ts'
import { follow, transcriptsOf } from '../../../fixtures/conversation.ts'

const native = contributionsOf(plugin).dialects.get('native') ?? assert.fail('there is no dialect native')

for (const transcript of transcriptsOf('native')) {
  test(`${transcript.file}: ${transcript.title}`, () => follow(native, transcript))
}
