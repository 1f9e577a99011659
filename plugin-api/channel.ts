/**
 * A channel: a place where people write to the agent, and where it can write to them. What a channel contributes is how a
 * message leaves and how the connection is; whoever is behind it (a bot's API, a socket, a phone) is its plugin's business.
 * A channel is switched with the plugin that brings it.
 */
import type { Context } from './context.ts'
import type { JsonObject } from './json.ts'

/** How a channel is. `disabled` is said by the gateway, never by the channel. */
export const CHANNEL_STATES = ['connected', 'connecting', 'disconnected', 'disabled', 'error', 'not_configured'] as const

export type ChannelState = (typeof CHANNEL_STATES)[number]

/** A message on its way out. */
export interface OutgoingMessage {
  /** Whom it is for, as the channel writes it: a phone number, a user's or a group's id, `#room`. */
  readonly to: string
  readonly text: string
  /** The channel's id of the message it answers. */
  readonly replyTo?: string
  /** The channel's id of the thread it belongs to. */
  readonly thread?: string
}

/** What became of it: the channel's own ids, one for each message it was split into. */
export interface SentMessage {
  readonly ids: readonly string[]
}

/** How the channel is now. Further facts (`account`, `botUsername`) are shown as they are. */
export interface ChannelReport extends JsonObject {
  readonly status: Exclude<ChannelState, 'disabled'>
}

export interface ChannelDeclaration {
  /** Its id: lower case, digits and dashes, as in URLs and session keys. */
  readonly name: string
  /** What people call it: `WhatsApp`. */
  readonly title: string
  readonly description?: string
}

export interface Channel extends ChannelDeclaration {
  /**
   * Sends one message and answers once the other side has taken it. Throws `RpcError`: `unavailable` or `rate_limited` with `retryable`
   * where the same message may be tried again, `invalid_request` where it never will be taken.
   */
  readonly send: (message: OutgoingMessage, ctx: Context) => SentMessage | Promise<SentMessage>
  /** How it is, asked of what is there already: it connects nothing. */
  readonly status: (ctx: Context) => ChannelReport | Promise<ChannelReport>
}

export interface ChannelRegistry {
  add(channel: Channel): void
}
