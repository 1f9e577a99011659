/**
 * A request for a run, read and found in order before anything is opened or kept,
 * so that a request which can never succeed leaves no trace.
 */
import {
  RpcError,
  type Context,
  type Message,
  type OfferedTool,
  type Sampling,
  type Static,
  type ToolChoice,
} from '@isopod/plugin-api'
import { choiceOf, type Choice } from './agent.ts'
import { conversationOf } from './conversation.ts'
import { earlierMessages } from './ledger.ts'
import { named } from './options.ts'
import { isAnsweringEarlier, refuseOrphans } from './pairing.ts'
import type { RUN } from './schema.ts'

export interface Request {
  readonly sessionKey: string
  readonly choice: Choice
  /** The name of the model as it was asked for. */
  readonly askedModel: string | undefined
  readonly messages: readonly Message[]
  /** How many of the session's messages come before them. */
  readonly history: number
  readonly sampling: Sampling
  readonly clientTools: readonly OfferedTool[]
  readonly toolChoice: ToolChoice
  readonly streams: boolean
  readonly channel: string | undefined
  readonly metadata: Readonly<Record<string, string>> | undefined
}

/** How much of a session a model is shown. */
const HISTORY = 200

/** 1 to 256 printable characters; sessions have the same rule, and the last word. */
const SESSION_KEY = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{1,256}$/u

/** Throws `invalid_request` or `not_found`, naming the parameter that is wrong. */
export async function requestOf(given: Static<typeof RUN> & { readonly sessionKey: string }, ctx: Context): Promise<Request> {
  const params = named(given)
  const { sessionKey, clientTools = [], history = 'session' } = params
  if (!SESSION_KEY.test(sessionKey)) throw new RpcError('invalid_request', 'Invalid session key', { param: 'sessionKey' })
  refuseTwins(clientTools)
  const messages = conversationOf(params)
  // A result may answer a call of an earlier run, which only its session knows.
  if (isAnsweringEarlier(messages)) refuseOrphans(history === 'given' ? [] : await earlierMessages(sessionKey, HISTORY, ctx), messages)
  return {
    sessionKey,
    choice: choiceOf(params, ctx.config),
    askedModel: params.model,
    messages,
    history: history === 'session' ? HISTORY : 0,
    // The insides of JSON schemas are the client's own and stay as they are.
    sampling: (params.sampling ?? {}) as Sampling,
    clientTools: clientTools as readonly OfferedTool[],
    toolChoice: params.toolChoice ?? 'auto',
    streams: params.stream ?? true,
    channel: params.channel,
    metadata: params.metadata,
  }
}

function refuseTwins(tools: readonly { readonly name: string }[]): void {
  const names = tools.map(({ name }) => name)
  const twin = names.find((name, index) => names.indexOf(name) !== index)
  if (twin !== undefined) {
    throw new RpcError('invalid_request', `clientTools: there are two named ${twin}`, { param: 'clientTools' })
  }
}
