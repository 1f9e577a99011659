/**
 * `POST /api/endpoint` and `POST /api/rpc`: any method by its name, one call for each request, as the rpc dialect spells it on a
 * socket. Which methods there are, and who may call them, is the ladder's to say.
 */
import { definePlugin } from '@isopod/plugin-api'
import { endpointRoutes } from './endpoint-route.ts'

export default definePlugin(({ hooks }) => {
  hooks.routes.tap('rest-endpoint', (routes) => {
    for (const route of endpointRoutes) routes.add(route)
  })
})
