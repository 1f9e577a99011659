/** The schemas that several methods of channels share. */
import { CHANNEL_STATES } from '@isopod/plugin-api'

export const CHANNEL_ID = { type: 'string', minLength: 1, maxLength: 64, description: 'The id of a channel, as `channel.list` has it.' } as const

export const CHANNEL_PARAMS = {
  type: 'object',
  required: ['channelId'],
  additionalProperties: false,
  properties: { channelId: CHANNEL_ID },
} as const

export const CHANNEL_ROW = {
  type: 'object',
  required: ['id', 'name', 'enabled', 'status'],
  properties: {
    id: { type: 'string' },
    name: { type: 'string' },
    enabled: { type: 'boolean' },
    status: { enum: CHANNEL_STATES },
    reason: { type: 'string' },
  },
} as const
