/**
 * Replaces a file in one step: whoever reads it, and whenever the power fails, sees the old content or the new one and
 * never a part. It keeps the file's mode and owner, and follows a symbolic link instead of replacing it.
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Mode of a file that was not there before: it may hold a token. */
const NEW_FILE_MODE = 0o600

/** Rejects with the file system's error, in which case the old file stands and nothing is left beside it. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const target = await realpath(file).catch(() => file)
  const before = await stat(target).catch(() => undefined)
  const temporary = `${target}.${randomUUID()}.tmp`
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  try {
    await writeDurably(temporary, text, before)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(dirname(target))
}

/** Shifts `file.bak.1` to `file.bak.2` and so on, keeps `count` of them, and makes the newest from the file as it stands. */
export async function keepBackup(file: string, count: number): Promise<void> {
  const target = await realpath(file).catch(() => file)
  const fresh = `${target}.${randomUUID()}.tmp`
  try {
    await copyFile(target, fresh, constants.COPYFILE_EXCL) // keeps the mode; copied first, so that a full disk costs no old backup
    for (let number = count - 1; number >= 1; number--) {
      await rename(`${target}.bak.${number}`, `${target}.bak.${number + 1}`).catch(ignoreMissing)
    }
    await rename(fresh, `${target}.bak.1`)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}

async function writeDurably(file: string, text: string, like: { mode: number; uid: number; gid: number } | undefined): Promise<void> {
  const handle = await open(file, 'wx', NEW_FILE_MODE)
  try {
    await handle.writeFile(text)
    if (like) {
      await handle.chown(like.uid, like.gid).catch(() => {}) // only root may give a file away; the mode still protects it
      await handle.chmod(like.mode & 0o7777)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The new name is only safe once the directory is. Some file systems cannot sync one; then there is nothing better to do. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory).catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
