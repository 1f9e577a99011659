/** The documents' spelling of thinking, stream and model. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testGateway } from '@isopod/testing'
import { named } from '../options.ts'

test('what an option says wins over the param it stands for, and the rest stays as it was', () => {
  const given = { sessionKey: 's', message: 'Hi', model: 'a/b', stream: true, sampling: { temperature: 0 } }
  assert.deepEqual(named(given), given)
  assert.deepEqual(named({ ...given, options: { thinking: 'low', stream: false, model: 'c/d' } }), {
    sessionKey: 's', message: 'Hi', model: 'c/d', stream: false, sampling: { temperature: 0, thinking: 'low' },
  })
  assert.deepEqual(named({ ...given, options: {} }), given)
})

test('an option that is unknown or of the wrong kind is refused by its name', async (t) => {
  const gateway = await testGateway({ plugins: ['chat', 'models', 'sessions', 'tools'] })
  t.after(() => gateway.close())
  const client = gateway.client()
  for (const [options, param] of [
    [{ thinking: 'enormous' }, 'options.thinking'],
    [{ thinkng: 'low' }, 'options.thinkng'],
    [{ stream: 'yes' }, 'options.stream'],
    [{ model: 5 }, 'options.model'],
    ['fast', 'options'],
  ] as const) {
    const refusal = await client.refusal('chat.run', { message: 'Hi', options })
    assert.deepEqual([refusal.code, refusal.param], ['invalid_request', param])
  }
})
