/**
 * The states of a plugin and the moves that are legal between them. An instance begins as `registered`; `disabled` is what
 * `plugin.list` says of one that has no instance because it is switched off.
 */

export const STATES = ['registered', 'started', 'ready', 'draining', 'stopped', 'failed', 'disabled'] as const

export type PluginState = (typeof STATES)[number]

const MOVES: Readonly<Record<PluginState, readonly PluginState[]>> = {
  registered: ['started', 'failed'],
  started: ['ready', 'failed'],
  ready: ['draining'],
  draining: ['stopped', 'failed'],
  stopped: [],
  failed: [],
  disabled: [],
}

/**
 * The state after a legal move.
 * @throws Error where the move is none: a bug of the kernel, never of a plugin.
 */
export function moved(from: PluginState, to: PluginState): PluginState {
  if (!MOVES[from].includes(to)) throw new Error(`a plugin cannot go from ${from} to ${to}`)
  return to
}
