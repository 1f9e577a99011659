/** What can be called: the methods of the generation in force, told as data. */
import type { MethodRegistry } from '@isopod/plugin-api'
import type { OwnParts } from './parts.ts'

export function addDescriptions(methods: MethodRegistry, { kernel }: OwnParts): void {
  methods.add({
    name: 'system.methods',
    description: 'Every method that may be called from outside: scope, parameters and who serves it.',
    scope: 'read',
    handle: () => {
      const all = [...kernel().generation.methods.values()].filter(({ item }) => !item.internal)
      const described = all.map(({ item: { handle: _, ...declaration }, instance }) => ({ ...declaration, plugin: instance.label }))
      return { methods: described.sort((left, right) => (left.name < right.name ? -1 : 1)) }
    },
  })
}
