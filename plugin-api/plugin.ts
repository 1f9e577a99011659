/**
 * A plugin: what an author exports. `register` declares and does nothing else; `start` acts; `stop` undoes. The same code
 * runs in the kernel's process or behind the wall, by the owner's choice.
 */
import type { StartContext } from './context.ts'
import type { Gateway } from './gateway.ts'

export interface Plugin {
  /** Taps hooks and has no other effect. Config, time and environment are out of its sight, and it may open nothing. */
  readonly register: (gateway: Gateway) => void
  /** Called once the registration stands, before any call arrives. Has a deadline; throwing fails the plugin. */
  readonly start?: (ctx: StartContext) => void | Promise<void>
  /**
   * Called after the last call has left. Undoes `start`. In a swap the newcomer has started by then, and may share this
   * module with the one that stops: close what `start` opened when its `ctx.signal` aborts, or keep handles apart.
   */
  readonly stop?: () => void | Promise<void>
}

/** Makes a plugin, from its `register` alone or with `start` and `stop`. */
export function definePlugin(plugin: Plugin | Plugin['register']): Plugin {
  return Object.freeze(typeof plugin === 'function' ? { register: plugin } : { ...plugin })
}
