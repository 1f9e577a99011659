/**
 * The shapes the provider packages share, by our own names. They are derived from one of the packages, so that this plugin
 * names nothing it does not depend on. Types only: importing this loads no package.
 */
import type { OpenAICompatibleProvider } from '@ai-sdk/openai-compatible'

/** A model as a provider package makes it. */
export type SdkModel = ReturnType<OpenAICompatibleProvider['chatModel']>

/** What it is asked. */
export type SdkOptions = Parameters<SdkModel['doStream']>[0]

export type SdkPrompt = SdkOptions['prompt']
export type SdkMessage = SdkPrompt[number]
export type SdkUserPart = Extract<SdkMessage, { role: 'user' }>['content'][number]
export type SdkFilePart = Extract<SdkUserPart, { type: 'file' }>
export type SdkAssistantPart = Extract<SdkMessage, { role: 'assistant' }>['content'][number]
export type SdkToolResult = Extract<Extract<SdkMessage, { role: 'tool' }>['content'][number], { type: 'tool-result' }>
export type SdkTool = Extract<NonNullable<SdkOptions['tools']>[number], { type: 'function' }>

/** What it streams. */
export type SdkStream = Awaited<ReturnType<SdkModel['doStream']>>['stream']
export type SdkPart = SdkStream extends ReadableStream<infer Part> ? Part : never
