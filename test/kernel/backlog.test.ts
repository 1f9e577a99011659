import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GatewayEvent } from '@isopod/plugin-api'
import { Backlog } from '../../kernel/backlog.ts'

interface Reply {
  readonly kind: 'reply'
}

const delta = (seq: number, text: unknown, more: Partial<GatewayEvent> = {}): GatewayEvent => ({ name: 'chat.delta', data: { runId: 'r', delta: text as string }, runId: 'r', seq, join: 'delta', ...more })
const texts = (backlog: Backlog<Reply>) => {
  const told: unknown[] = []
  for (let one = backlog.shift(); one; one = backlog.shift()) told.push(one.kind === 'event' ? [one.event.seq, one.event.data['delta']] : one.kind)
  return told
}

test('two waiting events that may be joined become one, with the number of the later', () => {
  const backlog = new Backlog<Reply>()
  for (const [seq, text] of [[1, 'Hel'], [2, 'lo'], [3, '.']] as const) backlog.push({ kind: 'event', event: delta(seq, text) })
  assert.deepEqual(texts(backlog), [[3, 'Hello.']])
})

test('nothing is joined across a reply, another run, another name, or a field that is no text', () => {
  const backlog = new Backlog<Reply>()
  backlog.push({ kind: 'event', event: delta(1, 'a') })
  backlog.push({ kind: 'reply' })
  backlog.push({ kind: 'event', event: delta(2, 'b') })
  backlog.push({ kind: 'event', event: delta(3, 'c', { runId: 'other' }) })
  backlog.push({ kind: 'event', event: delta(4, 'd', { runId: 'other', name: 'chat.thinking' }) })
  backlog.push({ kind: 'event', event: delta(5, undefined, { runId: 'other', name: 'chat.thinking' }) })
  assert.deepEqual(texts(backlog), [[1, 'a'], 'reply', [2, 'b'], [3, 'c'], [4, 'd'], [5, undefined]])
})

test('an event that came without leave to join is left alone', () => {
  const backlog = new Backlog<Reply>()
  const { join: _, ...alone } = delta(1, 'a')
  backlog.push({ kind: 'event', event: alone })
  backlog.push({ kind: 'event', event: delta(2, 'b') })
  assert.equal(backlog.size, 2)
  backlog.clear()
  assert.equal(backlog.size, 0)
})
