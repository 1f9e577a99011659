/** How much memory another process has, for tests that ask whether it stays what it was. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export const MIB = 1024 * 1024

/** Resident bytes, shared ones included. */
export async function residentBytes(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number(stdout) * 1024
}
