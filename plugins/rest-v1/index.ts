/**
 * The REST endpoints under `/v1` that are not another API's: agent runs, in one piece or streamed, the sessions they leave,
 * and the channels. Rows onto the gateway's own methods, and nothing else.
 */
import { definePlugin } from '@isopod/plugin-api'
import { agentRoutes } from './agent-route.ts'
import { channelRoutes } from './channel-route.ts'
import { sessionRoutes } from './session-route.ts'

export default definePlugin(({ hooks }) => {
  hooks.routes.tap('rest-v1', (routes) => {
    for (const route of [...agentRoutes, ...sessionRoutes, ...channelRoutes]) routes.add(route)
  })
})
