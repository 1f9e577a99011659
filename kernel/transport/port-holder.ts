/**
 * Who listens on a port already. Only Linux tells, through `/proc`: the socket table gives an inode, and the process
 * that has that inode open is the holder. Best effort: another user's process cannot be looked into, and then the answer
 * is nothing.
 */
import { readdir, readFile, readlink } from 'node:fs/promises'

const LISTENING = '0A' // include/net/tcp_states.h: TCP_LISTEN
/** What a program was started with may hold secrets: only its name and what it runs are shown. */
const SHOWN_WORDS = 2

/** A process, such as `node gateway.js (process 4711)`. Never rejects. */
export async function portHolder(port: number): Promise<string | undefined> {
  const inodes = new Set((await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((table) => listeners(table, port)))).flat())
  if (inodes.size === 0) return undefined
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    if (await holdsOne(pid, inodes)) return describe(pid)
  }
  return undefined
}

async function listeners(table: string, port: number): Promise<string[]> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const text = await readFile(table, 'utf8').catch(() => '')
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === LISTENING)
    .flatMap((fields) => fields[9] ?? [])
}

async function holdsOne(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => [])
  for (const file of files) {
    const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '')
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
    if (inode !== undefined && inodes.has(inode)) return true
  }
  return false
}

async function describe(pid: string): Promise<string> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const words = command.split('\0').filter((word) => word !== '' && !word.startsWith('-'))
  const shown = words.slice(0, SHOWN_WORDS).map((word) => word.split('/').pop())
  return shown.length === 0 ? `process ${pid}` : `${shown.join(' ')} (process ${pid})`
}
