/**
 * Strays: what code throws where nobody can catch it, in a timer or in a promise that nobody waits for. Node would end the
 * process without a word in the log. A rejected promise has broken nothing but itself and is told; after a throw nobody knows
 * what was left half done, so the gateway closes in order and ends. Whose code it was is read off the stack: the plugin in
 * whose folder the innermost such file lies.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Log } from '../log.ts'

/** What calls under way have to end, and what closing may take in all before the process ends without it. */
const DRAIN_MS = 2_000
const CLOSING_MS = 5_000

export interface StrayParts {
  readonly log: Log
  /** Closes everything, giving calls under way this long. */
  readonly close: (drainMs: number) => Promise<void>
}

/** Takes charge of what nobody catches, for as long as the process lives. */
export function catchStrays({ log, close }: StrayParts): void {
  let ending: Promise<void> | undefined
  process.on('unhandledRejection', (thrown) => {
    log.error(`A promise was rejected${whose(thrown)} and nobody waited for it`, { err: asError(thrown) })
  })
  process.on('uncaughtException', (thrown) => {
    const end = ending ? 'the gateway is ending already' : 'the gateway ends, since nobody knows what was left half done'
    log.error(`Fatal: something was thrown${whose(thrown)} where nobody could catch it; ${end}`, { err: asError(thrown) })
    ending ??= endedAfter(log, close)
  })
}

async function endedAfter(log: Log, close: StrayParts['close']): Promise<void> {
  setTimeout(() => process.exit(1), CLOSING_MS)
  // The line above must be in the file even if something that is closed never ends.
  await log.flush()
  await close(DRAIN_MS).catch(() => {})
  process.exit(1)
}

function whose(thrown: unknown): string {
  const plugin = thrown instanceof Error ? pluginIn(thrown.stack ?? '') : undefined
  return plugin === undefined ? '' : ` in the code of ${plugin}`
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/** `chat 1.0.0`, where a file in the stack lies in a plugin's folder. */
function pluginIn(stack: string): string | undefined {
  for (const [url] of stack.matchAll(/file:\/\/[^\s()]+?(?=(\?[^\s():]*)?:\d+:\d+)/g)) {
    const plugin = pluginAround(fileURLToPath(url))
    if (plugin !== undefined) return plugin
  }
  return undefined
}

function pluginAround(file: string): string | undefined {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const plugin = pluginAt(folder)
    if (plugin !== undefined) return plugin
  }
  return undefined
}

/** The plugin whose manifest is in this folder. */
function pluginAt(folder: string): string | undefined {
  try {
    const { isopod, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { isopod?: { id?: string }; version?: string }
    return isopod?.id === undefined ? undefined : `${isopod.id} ${version ?? '0.0.0'}`
  } catch {
    return undefined
  }
}
