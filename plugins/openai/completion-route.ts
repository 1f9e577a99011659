/** `POST /v1/chat/completions`: which function reads the request, and which of the two spells the answer. */
import type { ChatRunResult } from '../chat/contract.ts'
import type { Json, Route, RouteEncoded, RouteHappening } from '@isopod/plugin-api'
import { decode, type CompletionState } from './completion-request.ts'
import { completionOf } from './completion.ts'
import { COMPLETION_BODY, COMPLETION_REPLY } from './description.ts'
import { streamed } from './chunk.ts'

export const completionRoute: Route = {
  verb: 'POST',
  path: '/v1/chat/completions',
  call: 'chat.run',
  describe: { summary: 'Completes a chat, as OpenAI\'s API spells it', body: COMPLETION_BODY, reply: COMPLETION_REPLY, streams: 'accepted' },
  decode,
  encode(what, state, now) {
    // The state is what decode made of this very request.
    const known = state as unknown as CompletionState
    return known.stream ? streamed(what, known, now) : answered(what, known, now)
  },
}

/** A refusal before anything was streamed is spelled by the URL's family. */
function answered(what: RouteHappening, state: CompletionState, now: number): RouteEncoded | undefined {
  if (what.kind !== 'outcome' || !what.outcome.ok) return undefined
  // `chat.run` answers this shape: chat's own contract.
  return { body: completionOf(what.outcome.value as ChatRunResult, state.model, now) as Json }
}
