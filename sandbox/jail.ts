/**
 * Starts the process a plugin lives in: an empty environment, no file but the plugin's own code, a bounded heap, and pipes.
 * How high this part of the wall is, is decided here and nowhere else. It knows nothing of what is said over the pipes.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))

export interface JailParts {
  /** URL of the plugin's entry module. */
  readonly entry: string
  /** URL of the plugin API's entry module. */
  readonly api: string
  readonly heapMb: number
}

/**
 * Starts a child that waits for its first message.
 * @throws Error where the entry is no file of this machine.
 */
export function startChild({ entry, api, heapMb }: JailParts): ChildProcessWithoutNullStreams {
  const readable = new Set([...readableFor(CHILD), ...readableFor(fileURLToPath(api)), ...readableFor(fileURLToPath(entry))])
  const flags = [
    '--permission',
    ...[...readable].map((path) => `--allow-fs-read=${path}`),
    '--disable-proto=delete',
    `--max-old-space-size=${heapMb}`,
    '--disable-sigusr1',
    '--disable-warning=SecurityWarning',
    '--disable-warning=ExperimentalWarning',
  ]
  return spawn(process.execPath, [...flags, CHILD], { cwd: dirname(CHILD), env: {}, stdio: 'pipe', windowsHide: true })
}

/** The package a module belongs to, and every folder its packages are found in. */
function readableFor(path: string): string[] {
  const file = realpathSync(path)
  const folders = ancestors(dirname(file))
  const home = folders.find((folder) => existsSync(join(folder, 'package.json'))) ?? dirname(file)
  const packages = folders.map((folder) => join(folder, 'node_modules')).filter((folder) => existsSync(folder))
  return [home, ...packages].map((folder) => folder + sep)
}

/** The folder itself and all above it, the nearest first. */
function ancestors(folder: string): string[] {
  const above = dirname(folder)
  return above === folder ? [folder] : [folder, ...ancestors(above)]
}
