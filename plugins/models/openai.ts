/**
 * OpenAI's own API, by its chat completions: the one of its two protocols that carries a whole conversation in each request,
 * so that nothing of it is kept at the provider.
 */
import type { ModelRequest } from '@isopod/plugin-api'
import type { Vendor } from './answer.ts'
import { isStrict } from './call-options.ts'
import { completionEvents } from './completion-events.ts'
import type { SdkOptions } from './sdk.ts'

export const openai: Vendor = {
  address: 'https://api.openai.com/v1',
  keyHeader: bearer,
  async model({ model, baseURL, apiKey, fetch }) {
    const { createOpenAI } = await import('@ai-sdk/openai')
    return createOpenAI({ baseURL, apiKey, fetch }).chat(model)
  },
  read: completionEvents,
  adapt: (options, request) => strictness(options, request, 'openai'),
}

export function bearer(key: string): readonly [name: string, value: string] {
  return ['authorization', `Bearer ${key}`]
}

/** Asks for a strict answer only with a schema that OpenAI's strict mode accepts. `key` is the package's name for its options. */
export function strictness(options: SdkOptions, { sampling }: ModelRequest, key: string): SdkOptions {
  const schema = sampling?.json?.schema
  return schema ? { ...options, providerOptions: { [key]: { strictJsonSchema: isStrict(schema) } } } : options
}
