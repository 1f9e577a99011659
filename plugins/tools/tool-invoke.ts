/** `tool.invoke`: the one way to run a tool. Everybody who guards tools is asked first, this plugin's own rules among them. */
import { isObject, RpcError, type Context, type JsonObject, type ToolCalling, type TypedMethod } from '@isopod/plugin-api'
import { toolsOf } from './catalog.ts'
import type { ToolInvoked } from './contract.ts'

const PARAMS = {
  type: 'object',
  required: ['tool'],
  additionalProperties: false,
  properties: {
    tool: { type: 'string', minLength: 1, maxLength: 128 },
    params: { type: 'object' },
    agentId: { type: 'string', minLength: 1, maxLength: 64 },
  },
} as const

export const invoke: TypedMethod<typeof PARAMS> = {
  name: 'tool.invoke',
  description: 'Runs a tool with its params, if everybody who guards tools agrees.',
  scope: 'write',
  params: PARAMS,
  result: { type: 'object', required: ['result'], properties: { result: {} } },
  async handle({ tool, params = {}, agentId }, ctx): Promise<ToolInvoked> {
    const row = (await toolsOf(ctx)).find(({ name }) => name === tool)
    if (!row) throw new RpcError('not_found', `There is no tool ${JSON.stringify(tool)}; tool.list names them`, { param: 'tool' })
    // The frame was JSON, so its params are.
    const given = params as JsonObject
    const args = await agreed({ tool, args: given, effects: row.effects, caller: ctx.caller, ...(agentId !== undefined && { agentId }) }, ctx)
    return { result: (await ctx.useTool(tool, args)) ?? null }
  },
}

/** The arguments everybody agreed to, which a guard may have changed. Throws `forbidden` in the words of whoever refused. */
async function agreed(subject: ToolCalling, ctx: Context): Promise<JsonObject> {
  const verdict = await ctx.ask('toolCalling', subject)
  if ('refused' in verdict) {
    throw new RpcError('forbidden', `${verdict.by} refused ${subject.tool}: ${verdict.refused}`, { details: { by: verdict.by } })
  }
  const { args } = verdict.subject
  if (!isObject(args)) throw new Error(`A guard of toolCalling changed the arguments of ${subject.tool} into what is no object`)
  return args
}
