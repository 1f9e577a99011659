/** A small disk of a gateway's own, mounted where only its process sees it, so that it can be filled without harm to anybody. */
import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StartedGateway } from '../main-job/started.ts'

const BALLAST = 'ballast'
/** As root in a namespace of its own where this user is not root already. */
const FLAGS = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount']
const MOUNT = 'mount -t tmpfs -o size=8m tmpfs "$ISOPOD_HOME" && head -c 4194304 /dev/zero > "$ISOPOD_HOME/ballast"'

/** The command that starts a gateway whose home is such a disk: 8 MiB, half of them taken by ballast. */
export const ON_SMALL_DISK = ['unshare', ...FLAGS, 'sh', '-c', `${MOUNT} && exec "$@"`, 'sh']

/** The command that starts a gateway whose home is on a disk that may only be read. */
export const ON_READ_ONLY_DISK = ['unshare', ...FLAGS, 'sh', '-c', 'mount -t tmpfs -o ro tmpfs "$ISOPOD_HOME" && exec "$@"', 'sh']

/** The command that starts a gateway as somebody whom modes of files stop, which is everybody but root. */
export const WITHOUT_POWERS = process.getuid?.() === 0 ? ['unshare', '--user'] : ['env']

/** Why this machine gives nobody such a disk; undefined where it does. */
export function whyNoDisk(): string | undefined {
  const { status, stderr, error } = spawnSync('unshare', [...FLAGS, 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'], { encoding: 'utf8' })
  return status === 0 ? undefined : `this user may not mount a disk of its own: ${error?.message ?? stderr.trim()}`
}

/** Makes room again. */
export function dropBallast({ pid, home }: StartedGateway): Promise<void> {
  return rm(join(`/proc/${pid}/root`, home, BALLAST))
}
