/** What other plugins may know of channels: the shapes of its methods and events. Types only. */
import type { ChannelState, JsonObject, OutgoingMessage } from '@isopod/plugin-api'

/** A row of `channel.list`. Further facts the channel tells of itself (`account`, `botUsername`) stand beside these. */
export interface ChannelRow extends JsonObject {
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  readonly status: ChannelState
}

/** What `channel.list` answers. */
export interface ChannelList {
  readonly channels: readonly ChannelRow[]
}

/** Params of `channel.send`. */
export interface ChannelSend extends OutgoingMessage {
  readonly channelId: string
}

/** What `channel.send` answers: the channel's own ids of what it sent. */
export interface ChannelSent {
  readonly channelId: string
  readonly ids: readonly string[]
}
