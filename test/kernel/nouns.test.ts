import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context, Plugin } from '@isopod/plugin-api'
import { all, House, methods, refusal } from './house.ts'

const hammer: Plugin['register'] = (gateway) =>
  gateway.hooks.tools.tap('t', (into) =>
    into.add({ name: 'hammer', description: 'Hits', effects: ['write'], params: { type: 'object', required: ['nail'], properties: { nail: { type: 'string' } } }, handle: ({ nail }, ctx) => ({ hit: nail, origin: ctx.caller.origin }) }),
  )
const words: Plugin['register'] = (gateway) =>
  gateway.hooks.models.tap('t', (into) => into.add({ name: 'words', async *stream() { yield { type: 'text', text: 'one' }; yield { type: 'text', text: 'two' } } }))

const attempts: Record<string, (ctx: Context) => Promise<unknown>> = {
  useTool: (ctx) => ctx.useTool('hammer', { nail: 'x' }),
  'catalog of tools': (ctx) => ctx.catalog('tools'),
  toolCalling: (ctx) => ctx.ask('toolCalling', { tool: 'hammer', args: {}, effects: [], caller: ctx.caller }),
  useModel: (ctx) => Array.fromAsync(ctx.useModel('words', {})),
  'catalog of models': (ctx) => ctx.catalog('models'),
  promptShaping: (ctx) => ctx.ask('promptShaping', { sessionKey: '', agentId: '', model: '', messages: [], tools: [] }),
  callStarting: (ctx) => ctx.ask('callStarting', { method: '', params: {}, caller: ctx.caller }),
  callSettled: async (ctx) => ctx.tell('callSettled', { method: '', caller: ctx.caller, durationMs: 0 }),
}
const all8 = async (_: unknown, ctx: Context) => {
  const allowed: string[] = []
  for (const [name, attempt] of Object.entries(attempts)) {
    await attempt(ctx).then(() => allowed.push(name), (thrown: { code: string }) => assert.equal(thrown.code, 'forbidden'))
  }
  return allowed
}

test('each noun may do what is its own, and nothing rings the kernel\'s hooks', async () => {
  const house = new House()
  await house.want({ id: 'p', register: all(methods({ 'tool.try': all8, 'model.try': all8, 'chat.try': all8, 'kernel.try': all8, 'thing.try': all8 }), hammer, words) })
  const client = house.client()
  assert.deepEqual(await client.call('tool.try'), ['useTool', 'catalog of tools', 'toolCalling'])
  assert.deepEqual(await client.call('model.try'), ['useModel', 'catalog of models'])
  assert.deepEqual(await client.call('chat.try'), ['promptShaping'])
  assert.deepEqual(await client.call('kernel.try'), [])
  assert.deepEqual(await client.call('thing.try'), [])
})

test('neither a tool nor a tap has its caller\'s noun', async () => {
  const house = new House()
  let inTap: unknown
  await house.want({
    id: 'p',
    register: all(
      methods({ 'tool.run': async (_, ctx) => { await attempts['toolCalling']?.(ctx); return ctx.useTool('deep', {}) } }),
      hammer,
      (gateway) => gateway.hooks.tools.tap('t', (into) => into.add({ name: 'deep', description: '', effects: [], handle: all8 })),
      (gateway) => gateway.hooks.toolCalling.tap('g', async (_, ctx) => void (inTap = await all8(_, ctx))),
    ),
  })
  assert.deepEqual([await house.client().call('tool.run'), inTap], [[], []])
})

test('what start keeps has no noun', async () => {
  const house = new House()
  let allowed: unknown
  await house.want({ id: 'p', register: all(hammer, words), start: async (ctx) => void (allowed = await all8(null, ctx as Context)) })
  assert.deepEqual(allowed, [])
})

test('a tool\'s arguments are checked against its schema, and an unknown tool is not found', async () => {
  const house = new House()
  await house.want({ id: 'p', register: all(methods({ 'tool.run': ({ tool, args }: { tool: string; args: object }, ctx) => ctx.useTool(tool, args as never) }), hammer) })
  const client = house.client()
  assert.deepEqual(await client.call('tool.run', { tool: 'hammer', args: { nail: 'n' } }), { hit: 'n', origin: 'owner' })
  assert.deepEqual(await client.refusal('tool.run', { tool: 'hammer', args: {} }), { code: 'invalid_request', message: 'hammer: nail: is required', param: 'nail' })
  assert.equal((await client.refusal('tool.run', { tool: 'saw', args: {} })).code, 'not_found')
})

test('the catalog is data: what a plugin declared, without its functions', async () => {
  const house = new House()
  await house.want({ id: 'p', register: all(methods({ 'tool.list': (_, ctx) => ctx.catalog('tools') }), hammer) })
  const [tool] = (await house.client().call('tool.list')) as unknown as Record<string, unknown>[]
  assert.deepEqual(Object.keys(tool ?? {}), ['name', 'description', 'effects', 'params', 'plugin'])
})

test('where a call comes from can be lowered and never raised', async () => {
  const house = new House()
  const origin = (_: unknown, ctx: Context) => ctx.caller.origin
  const through = async (_: unknown, ctx: Context) => Promise.all((['owner', 'automation', 'agent', 'stranger'] as const).map((from) => ctx.call('a.origin', {}, { origin: from })))
  await house.want({ id: 'p', register: methods({ 'a.origin': origin, 'a.through': through }) })
  assert.deepEqual(await house.client({ origin: 'owner' }).call('a.through'), ['owner', 'automation', 'agent', 'stranger'])
  assert.deepEqual(await house.client({ origin: 'agent' }).call('a.through'), ['agent', 'agent', 'agent', 'stranger'])
  assert.deepEqual(await house.client({ origin: 'stranger' }).call('a.through'), ['stranger', 'stranger', 'stranger', 'stranger'])
})

test('an origin that is none does not pass for the caller\'s own', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.in': () => 1, 'a.out': async (_, ctx) => (await refusal(ctx.call('a.in', {}, { origin: 'constructor' as never }))).message }) })
  assert.equal(await house.client().call('a.out'), 'There is no origin "constructor"')
})

test('a noun is served by one plugin, so that nobody runs its contributions unwatched', async () => {
  const house = new House()
  const report = await house.want({ id: 'tools', register: methods({ 'tool.list': () => 1 }) }, { id: 'zebra', register: all(methods({ 'tool.sneak': () => 1 }), hammer) })
  assert.deepEqual(report.failed, { zebra: '`tools 1.0.0` and `zebra 1.0.0` both serve the noun tool' })
})
