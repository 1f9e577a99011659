/**
 * The REST endpoints under `/api/v1`, with this family's own names for things: a session is a conversation, and fields are in
 * snake case. Rows onto the gateway's own methods, and nothing else.
 */
import { definePlugin } from '@isopod/plugin-api'
import { configRoutes } from './config-route.ts'
import { conversationRoutes } from './conversation-route.ts'
import { logRoute } from './log-route.ts'
import { messageRoute } from './message-route.ts'
import { stateRoutes } from './state-route.ts'

export default definePlugin(({ hooks }) => {
  hooks.routes.tap('rest-api-v1', (routes) => {
    for (const route of [messageRoute, ...conversationRoutes, ...stateRoutes, ...configRoutes, logRoute]) routes.add(route)
  })
})
