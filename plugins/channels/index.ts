/**
 * Channels: which there are and how they are, switched with the plugins that bring them, and the one way a message leaves
 * through them. What arrives is its channel's own business until it becomes a call.
 */
import { definePlugin } from '@isopod/plugin-api'
import { list, status } from './listing.ts'
import { send } from './sending.ts'
import { disable, enable } from './switching.ts'

export default definePlugin((gateway) => {
  gateway.hooks.methods.tap('channels', (methods) => {
    methods.add(list)
    methods.add(status)
    methods.add(enable)
    methods.add(disable)
    methods.add(send)
  })
})
