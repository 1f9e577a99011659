/**
 * Webhooks: what other services post becomes a wake-up or a run of the agent. Everything arrives by one row, shows a credential
 * of its own, and is answered at once; the run goes on in the background, and its answer leaves through a channel.
 */
import { definePlugin } from '@isopod/plugin-api'
import { agent } from './agent.ts'
import { ended } from './delivery.ts'
import { list } from './listing.ts'
import { receive } from './receive.ts'
import { hookRow } from './row.ts'
import { runs } from './ledger.ts'
import { waiting, wake } from './wake.ts'

export default definePlugin((gateway) => {
  gateway.hooks.routes.tap('webhooks', (routes) => routes.add(hookRow))
  gateway.hooks.methods.tap('webhooks', (methods) => {
    methods.add(receive)
    methods.add(wake)
    methods.add(agent)
    methods.add(ended)
    methods.add(list)
    methods.add(runs)
    methods.add(waiting)
  })
})
