import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseTransport } from '../../kernel/transport/choose.ts'
import { OPTIONS, SILENT } from './harness.ts'

test('uWebSockets is chosen where it can be loaded', async () => {
  for (const preference of ['auto', 'uws'] as const) {
    const { name, factory, why } = await chooseTransport(preference)
    assert.equal(name, 'uws')
    assert.equal(factory(OPTIONS, SILENT).name, 'uws')
    assert.match(why, /uWebSockets/)
  }
})

test('ws is chosen where it is wanted, and uWebSockets is not looked for', async () => {
  const { name, factory, why } = await chooseTransport('ws', () => assert.fail('looked for'))
  assert.equal(name, 'ws')
  assert.equal(factory(OPTIONS, SILENT).name, 'ws')
  assert.match(why, /as configured/)
})

test('ws serves where uWebSockets cannot be loaded, and the sentence says why', async () => {
  for (const preference of ['auto', 'uws'] as const) {
    const { name, why } = await chooseTransport(preference, () => Promise.reject(new Error('no build of uWebSockets works with Node 24.1.0 on linux-x64')))
    assert.equal(name, 'ws')
    assert.match(why, /^The transport is node:http with ws, because no build of uWebSockets works with Node 24\.1\.0 on linux-x64/)
  }
})
