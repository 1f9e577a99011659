/** An event loop that wakes late, seen through the URLs that watchers ask. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testGateway, TestClock } from '@isopod/testing'

/** Holds the loop for so long, and then lets it look at its timers. */
async function hold(ms: number): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end);
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

test('an event loop that wakes more than a second late is alive and not ready, says why, and is ready again when that is over', async (t) => {
  const clock = new TestClock()
  const gateway = await testGateway({ plugins: ['system'], clock })
  t.after(() => gateway.close())
  const ask = async (path: string) => {
    const response = await gateway.fetch(path)
    return [response.status, await response.json()] as const
  }
  // The first look only says since when there is a delay.
  await hold(50)
  await hold(1_200)
  assert.deepEqual(await ask('/healthz'), [200, { ok: true, status: 'live' }])
  const told = await gateway.client().call('system.health', { probe: 'ready' })
  assert.match(JSON.stringify(told), /"not_ready","troubles":\["the event loop wakes 1\d{3} ms late"\]/)
  assert.deepEqual(await ask('/readyz'), [503, { ok: false, status: 'not_ready' }])
  for (let window = 0; window < 2; window += 1) await clock.advance(10_000)
  assert.deepEqual(await ask('/readyz'), [200, { ok: true, status: 'ready' }])
})
