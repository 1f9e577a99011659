/**
 * The gateway's own state, for people and for what watches it: whether it lives, whether it should get traffic, and what it
 * is. It keeps nothing and judges nothing: the kernel says what troubles it, and this plugin says so.
 */
import { definePlugin } from '@isopod/plugin-api'
import { ping } from './ping.ts'
import { health, healthRoutes } from './health.ts'
import { status, statusRoute } from './status.ts'

export default definePlugin((gateway) => {
  gateway.hooks.methods.tap('system', (methods) => {
    methods.add(ping)
    methods.add(health)
    methods.add(status)
  })
  gateway.hooks.routes.tap('system', (routes) => {
    for (const route of [...healthRoutes, statusRoute]) routes.add(route)
  })
})
