/**
 * The wall: implements the sandbox port of the plugin API with a process of its own for each plugin. This one is a stand-in:
 * the process holds the plugin as plain JavaScript, so it proves that a plugin lives by text alone and contains what crashes
 * or hangs, but it is no defence against code that means harm.
 */
import { realpathSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Sandbox, WalledSource } from '@isopod/plugin-api'
import { startChild } from './jail.ts'
import { LogGate } from './log-gate.ts'
import { Walled } from './walled.ts'

export interface SandboxOptions {
  /** How long importing a plugin and its `register` may take: 10,000 ms unless said, as for a plugin in the kernel's process. */
  readonly loadMs?: number
  /** How long a plugin's `stop` may take before its process is ended anyway: 5,000 ms unless said. */
  readonly stopMs?: number
  /** How often a child is asked whether it is there: every 500 ms unless said. */
  readonly heartbeatMs?: number
  /** How many questions in a row may go unanswered: 3 unless said, so that a stuck child is ended within 2 seconds. */
  readonly heartbeatMisses?: number
  /** The child's heap, in MiB: 96 unless said (sandbox.md, 3.2). */
  readonly heapMb?: number
}

/** Opens the wall. Whoever opens it closes it, which ends every process behind it. */
export function openSandbox(options: SandboxOptions = {}): Sandbox {
  const { loadMs = 10_000, stopMs = 5_000, heartbeatMs = 500, heartbeatMisses = 3, heapMb = 96 } = options
  const running = new Set<Walled>()
  const api = import.meta.resolve('@isopod/plugin-api')
  return Object.freeze({
    level: 'stand-in',
    async load(given: WalledSource, log: (level: 'info' | 'warn' | 'error', text: string) => void) {
      // The child may read the folder the code really lies in, and no link to it.
      const source = { ...given, entry: pathToFileURL(realpathSync(fileURLToPath(given.entry))).href }
      const child = startChild({ entry: source.entry, api, heapMb })
      const walled = new Walled({ source, api, child, gate: new LogGate(log), loadMs, stopMs, heartbeatMs, heartbeatMisses })
      running.add(walled)
      void walled.ended.then(() => running.delete(walled))
      await walled.load()
      return walled
    },
    async close() {
      await Promise.all([...running].map((walled) => walled.close()))
    },
  } satisfies Sandbox)
}
