/** Tools on a whole gateway, with guards and tools of other plugins beside them, in this process and behind the wall. */
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { definePlugin } from '@isopod/plugin-api'
import { testGateway, type TestGateway } from '@isopod/testing'

const shell = definePlugin(({ hooks }) => {
  hooks.tools.tap('shell', (tools) => tools.add({
    name: 'shell_run', description: 'Runs a program', effects: ['exec'], params: { type: 'object', properties: { line: { type: 'string' } } },
    handle: ({ line }) => ({ ran: line ?? '' }),
  }))
})

const guard = definePlugin(({ hooks }) => {
  hooks.toolCalling.tap('words', ({ tool, args }) => {
    if (tool !== 'text_count' || typeof args !== 'object' || args === null || !('text' in args)) return undefined
    return args.text === 'secret' ? { refuse: 'That word is not counted.' } : { change: { args: { text: `${String(args.text)}!` } } }
  })
})

const PLUGINS = ['tools', { id: 'shell', plugin: shell }, { id: 'guard', plugin: guard }] as const

for (const wall of [false, true]) {
  describe(wall ? 'behind the wall' : 'in the gateway\'s process', () => {
    let gateway: TestGateway
    before(async () => {
      const config = { plugins: { tools: { config: { agents: { work: { allow: ['shell_*'] } } } } } }
      gateway = await testGateway({ plugins: PLUGINS, wall, config })
    })
    after(() => gateway.close())

    test('tools of all plugins are listed', async () => {
      const { tools } = await gateway.client().call('tool.list') as unknown as { tools: { name: string }[] }
      assert.deepEqual(tools.map(({ name }) => name), ['calculator', 'shell_run', 'text_count', 'time_now'])
    })

    test('a tool is run with its params, which its schema checks', async () => {
      assert.deepEqual(await gateway.client().call('tool.invoke', { tool: 'calculator', params: { expression: '6 * 7' } }), { result: { value: 42 } })
      const refusal = await gateway.client().refusal('tool.invoke', { tool: 'calculator', params: { sum: '6 * 7' } })
      assert.equal(refusal.code, 'invalid_request')
      assert.match(refusal.message, /^calculator: /)
    })

    test('a tool\'s own refusal reaches the caller', async () => {
      const refusal = await gateway.client().refusal('tool.invoke', { tool: 'calculator', params: { expression: '1 / 0' } })
      assert.deepEqual([refusal.code, refusal.message], ['invalid_request', 'Division by zero'])
    })

    test('a tool nobody has is not found', async () => {
      assert.equal((await gateway.client().refusal('tool.invoke', { tool: 'weather' })).code, 'not_found')
    })

    test('another plugin\'s guard refuses by its name, or changes what is counted', async () => {
      const refusal = await gateway.client().refusal('tool.invoke', { tool: 'text_count', params: { text: 'secret' } })
      assert.deepEqual([refusal.code, refusal.message], ['forbidden', 'guard/words refused text_count: That word is not counted.'])
      const { result } = await gateway.client().call('tool.invoke', { tool: 'text_count', params: { text: 'Hi' } }) as { result: { characters: number } }
      assert.equal(result.characters, 3)
    })

    test('the owner runs what the agent may not, unless the config says the agent may', async () => {
      const run = { tool: 'shell_run', params: { line: 'ls' } }
      assert.deepEqual(await gateway.client().call('tool.invoke', run), { result: { ran: 'ls' } })
      const agent = gateway.client({ origin: 'agent' })
      assert.match((await agent.refusal('tool.invoke', run)).message, /^tools\/policy refused shell_run: .*exec/)
      assert.deepEqual(await agent.call('tool.invoke', { ...run, agentId: 'work' }), { result: { ran: 'ls' } })
      assert.equal((await gateway.client({ origin: 'stranger' }).refusal('tool.invoke', { ...run, agentId: 'work' })).code, 'forbidden')
    })

    test('running takes the scope write', async () => {
      assert.equal((await gateway.client({ scopes: ['read'] }).refusal('tool.invoke', { tool: 'time_now' })).code, 'forbidden')
    })
  })
}
