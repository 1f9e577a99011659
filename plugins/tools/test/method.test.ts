/** `tool.list` and `tool.invoke`, with a catalogue and guards that the test puts in place of the gateway's. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import type { Caller, Context, Json, JsonObject, Origin, ToolCalling } from '@isopod/plugin-api'
import plugin from '../index.ts'
import { contributionsOf, type ContextParts } from '../../../fixtures/contributions.ts'

const tools = contributionsOf(plugin)

const CATALOG: readonly JsonObject[] = [
  { name: 'shell_run', description: 'Runs a program', effects: ['exec'], params: { type: 'object', properties: { line: { type: 'string' } } } },
  { name: 'browser_open', description: 'Opens a page', effects: ['network'] },
  { name: 'browser_click', description: 'Clicks', effects: ['network', 'write'], params: true },
]

function callerOf(origin: Origin): Caller {
  return { id: 'token:test', scopes: ['read', 'write'], origin }
}

/** A gateway of three tools on which the given guards are asked; every tool answers its own name and arguments. */
function given(origin: Origin, config: JsonObject = {}, ask?: Context['ask']): ContextParts {
  const parts: ContextParts = {
    caller: callerOf(origin),
    config,
    catalog: () => Promise.resolve(CATALOG),
    useTool: (tool, args) => Promise.resolve({ tool, args }),
  }
  // The only hook that is asked here is toolCalling; its verdict has that subject.
  return { ...parts, ask: ask ?? (((_hook: string, subject: ToolCalling) => guarded(subject, parts)) as unknown as Context['ask']) }
}

async function guarded(subject: ToolCalling, parts: ContextParts): Promise<unknown> {
  const answer = await tools.toolCalling(subject, parts)
  return answer && 'refuse' in answer ? { refused: answer.refuse, by: 'tools/policy' } : { subject }
}

async function listed(origin: Origin, agentId?: string, config?: JsonObject): Promise<readonly string[]> {
  const { tools: rows } = await tools.call('tool.list', { ...(agentId && { agentId }) }, given(origin, config)) as unknown as { tools: { name: string }[] }
  return rows.map(({ name }) => name)
}

const invoke = (tool: string, parts: ContextParts, agentId?: string): Promise<Json> =>
  tools.call('tool.invoke', { tool, params: { a: 1 }, ...(agentId && { agentId }) }, parts)

test('tool.list tells name, description, params and effects of every tool, by name', async () => {
  const { tools: rows } = await tools.call('tool.list', {}, given('owner')) as unknown as { tools: readonly JsonObject[] }
  assert.deepEqual(rows, [
    { name: 'browser_click', description: 'Clicks', params: { type: 'object', properties: {} }, effects: ['network', 'write'] },
    { name: 'browser_open', description: 'Opens a page', params: { type: 'object', properties: {} }, effects: ['network'] },
    { name: 'shell_run', description: 'Runs a program', params: { type: 'object', properties: { line: { type: 'string' } } }, effects: ['exec'] },
  ])
})

test('an agent is shown only what it would be let through with', async () => {
  assert.deepEqual(await listed('owner', 'default'), ['browser_click', 'browser_open'])
  assert.deepEqual(await listed('stranger', 'default'), [])
  assert.deepEqual(await listed('owner', 'default', { deny: ['browser_c*'] }), ['browser_open'])
})

test('tool.invoke runs the tool and answers its result', async () => {
  assert.deepEqual(await invoke('browser_open', given('owner')), { result: { tool: 'browser_open', args: { a: 1 } } })
})

test('a tool without an answer answers null', async () => {
  const nothing = (() => Promise.resolve(undefined)) as unknown as Context['useTool']
  assert.deepEqual(await invoke('browser_open', { ...given('owner'), useTool: nothing }), { result: null })
})

test('a tool that does not exist is not found, by its name', async () => {
  await assert.rejects(invoke('weather', given('owner')), { code: 'not_found', param: 'tool', message: /"weather"/ })
})

test('a guard\'s refusal is told with the guard\'s name, and the tool does not run', async () => {
  const refuses = (() => Promise.resolve({ refused: 'Not on Sundays.', by: 'calm/sunday' })) as unknown as Context['ask']
  const parts = { ...given('owner', {}, refuses), useTool: () => assert.fail('the tool ran') }
  await assert.rejects(invoke('browser_open', parts), {
    code: 'forbidden', message: 'calm/sunday refused browser_open: Not on Sundays.', details: { by: 'calm/sunday' },
  })
})

test('a guard may change the arguments', async () => {
  const changes = ((_hook: string, subject: ToolCalling) => Promise.resolve({ subject: { ...subject, args: { a: 2 } } })) as unknown as Context['ask']
  assert.deepEqual(await invoke('browser_open', given('owner', {}, changes)), { result: { tool: 'browser_open', args: { a: 2 } } })
})

test('arguments that a guard changed into no object are a bug of the guard, not the caller\'s', async () => {
  const breaks = ((_hook: string, subject: ToolCalling) => Promise.resolve({ subject: { ...subject, args: 'x' } })) as unknown as Context['ask']
  await assert.rejects(invoke('browser_open', given('owner', {}, breaks)), { name: 'Error', message: /browser_open/ })
})

test('a guard is told who calls, for which agent, and what the tool may do', async () => {
  const asked: ToolCalling[] = []
  const notes = ((_hook: string, subject: ToolCalling) => (asked.push(subject), Promise.resolve({ subject }))) as unknown as Context['ask']
  await invoke('browser_click', given('agent', {}, notes), 'work')
  assert.deepEqual(asked, [{ tool: 'browser_click', args: { a: 1 }, effects: ['network', 'write'], caller: callerOf('agent'), agentId: 'work' }])
})

interface Case {
  readonly origin: Origin
  readonly tool: string
  readonly config?: JsonObject
  readonly agentId?: string
  readonly refused?: RegExp
}

const RULES: Readonly<Record<string, Case>> = {
  'the owner may run all, even what is denied': { origin: 'owner', tool: 'shell_run', config: { deny: ['*'] } },
  'an agent may use the network and write': { origin: 'agent', tool: 'browser_click' },
  'an agent may not run programs': { origin: 'agent', tool: 'shell_run', refused: /shell_run has the effect exec, which the agent may not have here/ },
  'an automation may not write': { origin: 'automation', tool: 'browser_click', refused: /effect write, which an automation/ },
  'an automation may use the network': { origin: 'automation', tool: 'browser_open' },
  'a stranger may have no effect': { origin: 'stranger', tool: 'browser_open', refused: /effect network, which a stranger/ },
  'effects of the config take the place of those built in': { origin: 'agent', tool: 'browser_open', config: { effects: { agent: ['exec'] } }, refused: /network/ },
  'an allowed tool runs whatever its effects': { origin: 'agent', tool: 'shell_run', config: { allow: ['shell_*'] } },
  'what is denied is denied though it is allowed': { origin: 'agent', tool: 'shell_run', config: { allow: ['*'], deny: ['shell_run'] }, refused: /the owner's config denies shell_run/ },
  'an agent\'s own effects count for it': { origin: 'agent', tool: 'shell_run', agentId: 'work', config: { agents: { work: { effects: ['exec'] } } } },
  'another agent\'s effects do not': { origin: 'agent', tool: 'shell_run', agentId: 'home', config: { agents: { work: { effects: ['exec'] } } }, refused: /exec/ },
  'a stranger gains nothing by naming an agent': { origin: 'stranger', tool: 'shell_run', agentId: 'work', config: { agents: { work: { allow: ['*'], effects: ['exec'] } } }, refused: /exec/ },
  'what an agent is denied a stranger is denied through it': { origin: 'stranger', tool: 'browser_open', agentId: 'work', config: { allow: ['*'], agents: { work: { deny: ['browser_*'] } } }, refused: /denies/ },
}

for (const [title, { origin, tool, config, agentId, refused }] of Object.entries(RULES)) {
  test(title, async () => {
    const running = invoke(tool, given(origin, config), agentId)
    if (refused) await assert.rejects(running, { code: 'forbidden', message: refused })
    else await assert.doesNotReject(running)
  })
}

for (const [pattern, name, fits] of [
  ['shell_run', 'shell_run', true], ['shell_run', 'shell_runs', false], ['*', 'anything', true], ['*_run', 'shell_run', true], ['a*b*c', 'a_b_b_c', true],
  ['a*b*c', 'a_b_b', false], ['**', 'x', true], ['a*', 'b', false], [`${'*a'.repeat(30)}b`, 'a'.repeat(64), false],
] as const) {
  test(`the pattern ${pattern.slice(0, 20)} ${fits ? 'fits' : 'does not fit'} ${name.slice(0, 20)}`, async () => {
    const rows = [{ name, description: '', effects: [] }]
    const parts = { ...given('owner', { deny: [pattern] }), catalog: () => Promise.resolve(rows) }
    const { tools: shown } = await tools.call('tool.list', { agentId: 'a' }, parts) as unknown as { tools: readonly unknown[] }
    assert.equal(shown.length, fits ? 0 : 1)
  })
}
