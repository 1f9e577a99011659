/**
 * Whatever speaks OpenAI's chat completions without being OpenAI: a server on this machine (Ollama, llama.cpp, vLLM, LM
 * Studio) or a router. It takes the conversation as it is and leaves out what only OpenAI's own models need.
 */
import type { Vendor } from './answer.ts'
import { completionEvents } from './completion-events.ts'
import { bearer, strictness } from './openai.ts'

export const openaiCompatible: Vendor = {
  address: undefined,
  keyHeader: bearer,
  async model({ name, model, baseURL, apiKey, fetch }) {
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
    return createOpenAICompatible({ name, baseURL, apiKey, fetch, includeUsage: true, supportsStructuredOutputs: true }).chatModel(model)
  },
  read: completionEvents,
  adapt: (options, request) => strictness(options, request, 'openaiCompatible'),
}
