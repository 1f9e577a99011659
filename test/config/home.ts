/** A home of its own for each test, removed after it, and a clock that only moves by hand. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { EventEmitter, once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Clock } from '../../kernel/clock.ts'
import { openConfig } from '../../kernel/config/config.ts'
import type { ConfigOptions, ConfigSource } from '../../kernel/config/config.ts'
import { openLog } from '../../kernel/log.ts'
import type { Log } from '../../kernel/log.ts'

export async function makeHome(t: TestContext, files: { readonly [name: string]: string } = {}): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'isopod-config-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text)
  return home
}

/** Timers that fire when told to; `settling` resolves when somebody has asked to be called back. */
export class HandClock implements Clock {
  readonly #events = new EventEmitter()
  #after = new Set<() => void>()
  readonly #every = new Set<() => void>()
  now = () => 1_800_000_000_000
  elapsed = () => 0
  id = () => 'id'

  after(_ms: number, callback: () => void): () => void {
    this.#after.add(callback)
    this.#events.emit('after')
    return () => this.#after.delete(callback)
  }

  every(_ms: number, callback: () => void): () => void {
    this.#every.add(callback)
    return () => this.#every.delete(callback)
  }

  /** How many wait to be called back. */
  get waiting(): number {
    return this.#after.size
  }

  /** Resolves when somebody asks to be called back from now on. */
  async settlingAgain(): Promise<void> {
    await once(this.#events, 'after')
  }

  async settling(): Promise<void> {
    if (this.#after.size === 0) await once(this.#events, 'after')
  }

  /** As if all the waiting were over. */
  elapse(): void {
    const due = [...this.#after]
    this.#after.clear()
    for (const callback of due) callback()
  }

  /** As if the next regular look were due. */
  tick(): void {
    for (const callback of this.#every) callback()
  }
}

export interface Opened {
  readonly config: ConfigSource
  readonly log: Log
  readonly clock: HandClock
}

export function quietLog(): Log {
  return openLog({ level: 'debug', console: false })
}

export async function openIn(t: TestContext, home: string, options: Partial<ConfigOptions> = {}): Promise<Opened> {
  const log = quietLog()
  const clock = new HandClock()
  const config = await openConfig({ home, env: {}, clock, log, ...options })
  t.after(() => config.close())
  return { config, log, clock }
}
