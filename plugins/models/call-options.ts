/**
 * Everything of a request beside the conversation: tools, the choice among them and the sampling, in the provider packages'
 * words. What a model does not take (a seed, a penalty) the packages leave out by themselves.
 */
import {
  isObject,
  RpcError,
  type JsonObject,
  type ModelRequest,
  type OfferedTool,
  type Sampling,
  type ToolChoice,
} from '@isopod/plugin-api'
import { promptOf } from './prompt.ts'
import type { SdkOptions, SdkTool } from './sdk.ts'

/** Throws `invalid_request` for a conversation that cannot be sent, and for a choice of a tool that is not offered. */
export function callOptions({ messages, tools, toolChoice, sampling }: ModelRequest): SdkOptions {
  return {
    prompt: promptOf(messages),
    ...(tools?.length && { tools: tools.map(tool), ...(toolChoice !== undefined && { toolChoice: choice(toolChoice, tools) }) }),
    ...(sampling && settings(sampling)),
  }
}

function tool({ name, description, params }: OfferedTool): SdkTool {
  // Some vendors refuse a schema that does not say it is an object's.
  const schema = params['type'] === undefined ? { type: 'object', properties: {}, ...params } : params
  return { type: 'function', name, inputSchema: schema, ...(description !== undefined && { description }) }
}

function choice(wanted: ToolChoice, tools: readonly OfferedTool[]): NonNullable<SdkOptions['toolChoice']> {
  if (typeof wanted === 'string') return { type: wanted }
  if (tools.some(({ name }) => name === wanted.name)) return { type: 'tool', toolName: wanted.name }
  throw new RpcError('invalid_request', `The tool ${wanted.name} was chosen but is not offered`, { param: 'toolChoice' })
}

function settings(sampling: Sampling): Partial<SdkOptions> {
  const { temperature, topP, topK, maxTokens, stop, seed, presencePenalty, frequencyPenalty, thinking, json } = sampling
  return {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
    ...(maxTokens !== undefined && { maxOutputTokens: maxTokens }),
    ...(stop?.length && { stopSequences: [...stop] }),
    ...(seed !== undefined && { seed }),
    ...(presencePenalty !== undefined && { presencePenalty }),
    ...(frequencyPenalty !== undefined && { frequencyPenalty }),
    ...(thinking !== undefined && { reasoning: thinking }),
    ...(json && { responseFormat: { type: 'json' as const, ...json } }),
  }
}

/**
 * Whether a schema fits the strict mode of OpenAI's structured answers: every object closed, every property required. One
 * that does not would be refused as a whole, so it is sent as a guide instead.
 */
export function isStrict(schema: JsonObject): boolean {
  const properties = schema['properties'] as JsonObject | undefined
  if (schema['type'] === 'object' || properties) {
    const required = Array.isArray(schema['required']) ? schema['required'] : []
    if (schema['additionalProperties'] !== false) return false
    if (!Object.keys(properties ?? {}).every((name) => required.includes(name))) return false
  }
  return Object.values(schema).flat().every((inner) => !isObject(inner) || isStrict(inner))
}
