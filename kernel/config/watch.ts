/**
 * Notices that the config file has changed: edited in place, replaced by a rename, removed, made. It watches the directory,
 * since an editor that saves by renaming leaves a watch on the file looking at the old one, waits until the writing has
 * stopped, and looks every few seconds anyway, because a watch does not see through symbolic links or network drives. It
 * only says "look"; what the file says is for others.
 */
import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Clock } from '../clock.ts'
import { CONFIG_NAMES } from './load.ts'

/** An editor that writes in two steps needs less; a person does not notice it. */
export const SETTLE_MS = 150
/** How often to look where no watch would tell. */
export const LOOK_MS = 10_000

export interface WatchOptions {
  readonly home: string
  /** A file named by the owner, instead of those of the home. */
  readonly file?: string | undefined
  readonly clock: Clock
  /** Reads the file and decides. Called again only when the last call has settled. Never rejects. */
  readonly look: () => Promise<void>
}

/** Begins to watch; answers the way to stop. */
export function watchConfig({ home, file, clock, look }: WatchOptions): () => void {
  const directory = file === undefined ? home : dirname(file)
  const names: readonly string[] = file === undefined ? CONFIG_NAMES : [basename(file)]
  let watcher: FSWatcher | undefined
  let cancelSettling: (() => void) | undefined
  let looking: 'no' | 'yes' | 'again' = 'no'
  let stopped = false

  const lookOnce = async (): Promise<void> => {
    if (stopped) return
    if (looking !== 'no') {
      looking = 'again'
      return
    }
    looking = 'yes'
    await look()
    const again = (looking as string) === 'again' // it may have been set while we waited
    looking = 'no'
    if (again) await lookOnce()
  }
  const settle = (): void => {
    cancelSettling?.()
    cancelSettling = clock.after(SETTLE_MS, () => void lookOnce())
  }
  const open = (): void => {
    if (watcher) return
    try {
      watcher = watch(directory, { persistent: false }, (_event, name) => {
        if (name === null || names.includes(name)) settle()
        if (name === basename(directory)) drop() // the directory itself is gone
      })
      watcher.on('error', drop)
    } catch {
      // Not there yet, or the system has no watches left: looking every few seconds sees it too.
    }
  }
  const drop = (): void => {
    watcher?.close()
    watcher = undefined
  }

  open()
  const stopLooking = clock.every(LOOK_MS, () => {
    open()
    void lookOnce()
  })
  return () => {
    stopped = true
    stopLooking()
    cancelSettling?.()
    drop()
  }
}
