/** `/v1/channels`: which there are, and one of them switched on or off or looked at. */
import type { Route } from '@isopod/plugin-api'

const ONE = '/v1/channels/{channelId}'

export const channelRoutes: readonly Route[] = [
  { verb: 'GET', path: '/v1/channels', call: 'channel.list', describe: { summary: 'Lists channels' } },
  { verb: 'GET', path: `${ONE}/status`, call: 'channel.status', describe: { summary: 'How a channel is' } },
  { verb: 'POST', path: `${ONE}/enable`, call: 'channel.enable', describe: { summary: 'Switches a channel on' } },
  { verb: 'POST', path: `${ONE}/disable`, call: 'channel.disable', describe: { summary: 'Switches a channel off' } },
]
