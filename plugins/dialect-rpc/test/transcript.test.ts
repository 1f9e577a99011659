/** Every transcript of the rpc dialect, step by step, through the dialect as the plugin registers it. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import plugin from '../index.ts'
import { contributionsOf } from '../../../fixtures/contributions.ts'
import { follow, transcriptsOf } from '../../../fixtures/conversation.ts'

const rpc = contributionsOf(plugin).dialects.get('rpc') ?? assert.fail('there is no dialect rpc')

for (const transcript of transcriptsOf('rpc')) {
  test(`${transcript.file}: ${transcript.title}`, () => follow(rpc, transcript))
}
