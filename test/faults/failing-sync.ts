/** A disk whose syncs fail when a test says so: a few lines of C that stand before the system's own in a gateway's process. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { StartedGateway } from '../main-job/started.ts'

const SOURCE = fileURLToPath(new URL('failing-sync.c', import.meta.url))
const CONDITION = 'syncs-fail'

export interface FailingSync {
  /** The command that starts a gateway with it. */
  readonly through: readonly string[]
  /** Why this machine cannot have it; undefined where it can. */
  readonly why: string | undefined
  remove(): void
}

/** Compiles it. */
export function failingSync(): FailingSync {
  const folder = mkdtempSync(join(tmpdir(), 'isopod-sync-'))
  const library = join(folder, 'failing-sync.so')
  const { status, error, stderr } = spawnSync(process.env['CC'] ?? 'cc', ['-shared', '-fPIC', '-o', library, SOURCE, '-ldl'], { encoding: 'utf8' })
  const script = `FAILING_PATH="$ISOPOD_HOME/isopod.db" FAILING_WHILE="$ISOPOD_HOME/${CONDITION}" LD_PRELOAD="${library}" exec "$@"`
  return {
    through: ['sh', '-c', script, 'sh'],
    why: whyNot(status === 0 ? undefined : (error?.message ?? stderr.trim())),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function whyNot(failure: string | undefined): string | undefined {
  if (process.platform !== 'linux') return 'a failing sync is put before the system\'s own on Linux only'
  return failure === undefined ? undefined : `a failing sync has to be compiled, and the C compiler says: ${failure}`
}

/** All of them until they heal, or only the next. */
export function breakSyncs({ home }: StartedGateway, which: 'all' | 'next' = 'all'): Promise<void> {
  return writeFile(join(home, CONDITION), which === 'all' ? '' : which)
}

export function healSyncs({ home }: StartedGateway): Promise<void> {
  return rm(join(home, CONDITION))
}
