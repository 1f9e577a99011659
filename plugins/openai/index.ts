/**
 * The OpenAI-compatible endpoint: chat completions and the list of models, as rows onto the gateway's own methods. Any
 * client written for that API works by changing its base URL. Nothing here answers anything by itself.
 */
import { definePlugin } from '@isopod/plugin-api'
import { completionRoute } from './completion-route.ts'
import { modelRoute, modelsRoute } from './model-list.ts'

export default definePlugin((gateway) => {
  gateway.hooks.routes.tap('openai', (routes) => {
    for (const route of [completionRoute, modelsRoute, modelRoute]) routes.add(route)
  })
})
