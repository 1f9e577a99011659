/**
 * `tool.list`: what there is to call. With an agent, what that agent would be let through with, so that a model is offered
 * nothing it cannot have.
 */
import type { TypedMethod } from '@isopod/plugin-api'
import { toolsOf } from './catalog.ts'
import type { ToolRow } from './contract.ts'
import { objection } from './policy.ts'

const PARAMS = {
  type: 'object',
  additionalProperties: false,
  properties: { agentId: { type: 'string', minLength: 1, maxLength: 64 } },
} as const

export const list: TypedMethod<typeof PARAMS> = {
  name: 'tool.list',
  description: 'The tools there are; with `agentId`, those the agent may use.',
  scope: 'read',
  params: PARAMS,
  result: {
    type: 'object',
    required: ['tools'],
    properties: {
      tools: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name', 'description', 'params', 'effects'],
          properties: {
            name: { type: 'string' },
            description: { type: 'string' },
            params: { type: 'object' },
            effects: { type: 'array', items: { type: 'string' } },
          },
        },
      },
    },
  },
  async handle({ agentId }, ctx): Promise<{ readonly tools: readonly ToolRow[] }> {
    const tools = await toolsOf(ctx)
    if (agentId === undefined) return { tools }
    // An agent works for its caller, and for a stranger it may do no more than the stranger.
    const origin = ctx.caller.origin === 'stranger' ? 'stranger' : 'agent'
    return { tools: tools.filter(({ name, effects }) => objection({ tool: name, effects, origin, agentId }, ctx.config) === undefined) }
  },
}
