/**
 * The vendors that are asked over the network, by the name of their API. Everything a request to one of them needs hangs on
 * this file, so that nothing of it is loaded before the first request.
 */
import type { Vendor } from './answer.ts'
import { anthropic } from './anthropic.ts'
import { kept } from './kept-models.ts'
import { openaiCompatible } from './openai-compatible.ts'
import { openai } from './openai.ts'

export { answer } from './answer.ts'

export const VENDORS = {
  anthropic: kept(anthropic),
  openai: kept(openai),
  'openai-compatible': kept(openaiCompatible),
} as const satisfies Record<string, Vendor>
