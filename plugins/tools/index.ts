/**
 * What an agent can do: the list of tools that all plugins contribute, the one way to run them, the owner's rules for who
 * may run which, and a few tools that need nothing but arithmetic and a clock.
 */
import { definePlugin } from '@isopod/plugin-api'
import { calculator } from './calculator.ts'
import { guard } from './policy.ts'
import { textCount } from './text-count.ts'
import { timeNow } from './time-now.ts'
import { invoke } from './tool-invoke.ts'
import { list } from './tool-list.ts'
import { toolRoutes } from './tool-route.ts'

export default definePlugin(({ hooks }) => {
  hooks.methods.tap('tools', (methods) => {
    methods.add(list)
    methods.add(invoke)
  })
  hooks.tools.tap('tools', (tools) => {
    tools.add(calculator)
    tools.add(textCount)
    tools.add(timeNow)
  })
  hooks.routes.tap('tools', (routes) => {
    for (const route of toolRoutes) routes.add(route)
  })
  hooks.toolCalling.tap('policy', guard)
})
