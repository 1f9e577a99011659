/** The log of a gateway as a person starts it: what was logged before it was killed can be read from the next one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { gatewayFor } from './started.ts'

interface Page {
  readonly entries: readonly (JsonObject & { readonly seq: number; readonly message: string })[]
  readonly next: number
}

test('the lines of a gateway that was killed are read from the one after it, numbered through, without the token', async (t) => {
  const first = await gatewayFor(t)
  const before = await first.socket()
  const { payload: earlier } = (await before.call('log.read', { limit: 1_000 })) as unknown as { payload: Page }
  const listening = earlier.entries.find(({ message }) => message.startsWith('Listening on'))
  assert.ok(listening)
  // What is in the log's file survives; a line becomes part of it a turn after it was logged.
  await first.logs(/Listening on/)
  await first.kill('SIGKILL')

  const second = await gatewayFor(t, { home: first.home })
  const after = await second.socket()
  const { payload: page } = (await after.call('log.read', { limit: 1_000 })) as unknown as { payload: Page }
  assert.deepEqual(page.entries.find(({ seq }) => seq === listening.seq), listening)
  const numbers = page.entries.map(({ seq }) => seq)
  assert.deepEqual(numbers, [...numbers].sort((left, right) => left - right))
  assert.equal(new Set(numbers).size, numbers.length)
  assert.equal(page.entries.filter(({ message }) => message.startsWith('Listening on')).length, 2)
  const { payload: rest } = (await after.call('log.read', { after: listening.seq, limit: 1_000 })) as unknown as { payload: Page }
  assert.ok(rest.entries.length > 0 && rest.entries.every(({ seq }) => seq > listening.seq))
  assert.ok(!JSON.stringify(page).includes(second.token))
})
