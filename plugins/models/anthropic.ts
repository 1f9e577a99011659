/**
 * Anthropic's messages API. It differs from the others in three things that are put right here: instructions stand before the
 * conversation and not within it; an answer that must be JSON needs a schema; and a model that thought before it called a tool
 * wants its thoughts back with the result, which the gateway does not keep.
 */
import type { Vendor } from './answer.ts'
import type { SdkMessage, SdkOptions, SdkPrompt } from './sdk.ts'

const JSON_ONLY = 'Answer with one JSON value and nothing else: no text around it and no code fence.'

export const anthropic: Vendor = {
  address: 'https://api.anthropic.com/v1',
  keyHeader: (key) => ['x-api-key', key],
  async model({ model, baseURL, apiKey, fetch }) {
    const { createAnthropic } = await import('@ai-sdk/anthropic')
    return createAnthropic({ baseURL: versioned(baseURL), apiKey, fetch })(model)
  },
  adapt(options) {
    const { reasoning, ...rest } = options
    return { ...rest, prompt: instructed(options), ...(reasoning && !isAfterTools(options.prompt) && { reasoning }) }
  },
}

/** Anthropic's own clients take the address without its version, the package takes it with. Either is right here. */
function versioned(address: string): string {
  return address.endsWith('/v1') ? address : `${address}/v1`
}

function instructed({ prompt, responseFormat }: SdkOptions): SdkPrompt {
  const needsWords = responseFormat?.type === 'json' && responseFormat.schema === undefined
  const instructions: SdkMessage[] = needsWords ? [{ role: 'system', content: JSON_ONLY }] : []
  return [...prompt.filter(({ role }) => role === 'system'), ...instructions, ...prompt.filter(({ role }) => role !== 'system')]
}

/** Thinking that goes on after a tool's result is refused without the thoughts before the call; without thinking it is taken. */
function isAfterTools(prompt: SdkPrompt): boolean {
  return prompt.at(-1)?.role === 'tool'
}
