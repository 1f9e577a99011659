/** The plugins that are loaded or should be, what each contributes, and the switch the owner has for each. */
import { jsonCopy, RpcError, type Json, type JsonObject, type MethodRegistry } from '@isopod/plugin-api'
import type { Kernel } from '../kernel.ts'
import { mustBeOwner } from './owner.ts'
import type { OwnParts } from './parts.ts'

const PLUGIN_ID = {
  type: 'object',
  required: ['id'],
  additionalProperties: false,
  properties: { id: { type: 'string', minLength: 1 } },
} as const

export function addPlugins(methods: MethodRegistry, parts: OwnParts): void {
  const { kernel } = parts
  methods.add({
    name: 'plugin.list',
    description: 'Every plugin, its state, and why one failed.',
    scope: 'read',
    handle: () => ({ generation: kernel().generation.number, plugins: kernel().rows() }),
  })
  methods.add({
    name: 'plugin.inspect',
    description: 'One plugin and everything it contributes.',
    scope: 'read',
    params: PLUGIN_ID,
    handle: ({ id }) => inspected(kernel(), id),
  })
  for (const [name, enabled] of [['plugin.enable', true], ['plugin.disable', false]] as const) {
    methods.add({
      name,
      description: `Switches a plugin ${enabled ? 'on' : 'off'} in the config file, and answers its row once that is in force.`,
      scope: 'admin',
      params: PLUGIN_ID,
      handle: ({ id }, ctx) => {
        mustBeOwner(ctx.caller, 'switch plugins')
        return switched(parts, id, enabled)
      },
    })
  }
}

function rowOf(kernel: Kernel, id: string): JsonObject {
  const row = kernel.rows().find((one) => one.id === id)
  if (!row) throw new RpcError('not_found', `There is no plugin ${id}`, { param: 'id' })
  const { failed, ...rest } = row
  return { ...rest, ...(failed && { failed: { ...failed } }) }
}

function inspected(kernel: Kernel, id: string): Json {
  const row = rowOf(kernel, id)
  const instance = kernel.generation.instances.get(id)
  if (!instance) return row
  const { methods, routes, dialects, tools, models, channels, taps } = instance.registration
  return jsonCopy(
    {
      ...row,
      needs: instance.manifest.needs,
      methods: methods.map((one) => one.name),
      routes: routes.map((one) => `${one.verb} ${one.path}`),
      dialects: dialects.map((one) => one.name),
      tools: tools.map((one) => one.name),
      models: models.map((one) => one.name),
      channels: channels.map((one) => one.name),
      taps: taps.map((one) => `${one.hook} (${one.name})`),
    },
    'plugin.inspect',
  )
}

async function switched({ kernel, config, settled, renew }: OwnParts, id: string, enabled: boolean): Promise<Json> {
  const before = rowOf(kernel(), id)
  // The owner may have saved the file a moment ago: what is switched is the file as it stands now.
  await config.reload()
  await config.update({ plugins: { [id]: { enabled } } }, { revision: config.revision })
  await settled()
  // What failed is not tried again by itself while nothing about it changes: whoever switches it on asks for that.
  if (enabled && before['failed'] !== undefined && rowOf(kernel(), id)['failed'] !== undefined) await renew(id)
  return rowOf(kernel(), id)
}
