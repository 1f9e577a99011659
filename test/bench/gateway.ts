/**
 * The gateway that is measured: `npm start` from a clean copy of the sources, with a home and a config of its own. It is stopped
 * as an owner would stop it. Where the start itself is measured, it is the command that `npm start` runs.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tree } from './tree.ts'

/** No secret: the home goes with the bench. */
const TOKEN = 'a-token-of-the-bench-that-opens-nothing-else'
const START_MS = 30_000
const STOP_MS = 40_000

export interface StartParts {
  readonly tree: Tree
  readonly config: string
  /** Only the command behind `npm start`, without npm's own start before it. */
  readonly isBare?: boolean
  /** Where the profile of each thread goes when the gateway ends; none is made otherwise. */
  readonly profileTo?: string | undefined
}

export class Gateway {
  readonly token = TOKEN
  readonly port: number
  /** The process that serves, which `npm start` may have handed over to. */
  readonly pid: number
  /** From the start of the process until it said that it listens, in milliseconds. */
  readonly startMs: number
  readonly #process: ChildProcess
  readonly #home: string

  private constructor(started: ChildProcess, home: string, { port, startMs }: { readonly port: number; readonly startMs: number }) {
    // The gateway's own record of who it is.
    const { pid } = JSON.parse(readFileSync(join(home, 'gateway.holder.json'), 'utf8')) as { readonly pid: number }
    this.port = port
    this.pid = pid
    this.startMs = startMs
    this.#process = started
    this.#home = home
  }

  /** Resolves once it listens. Rejects with what it printed where it does not. */
  static async start({ tree, config, profileTo, isBare = profileTo !== undefined }: StartParts): Promise<Gateway> {
    const home = mkdtempSync(join(tmpdir(), 'isopod-bench-home-'))
    writeFileSync(join(home, 'gateway.yaml'), config)
    const profile = profileTo === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileTo}` }
    const env = { PATH: process.env['PATH'], ISOPOD_HOME: home, ISOPOD_TOKEN: TOKEN, ...profile }
    const began = performance.now()
    const [program, args] = isBare ? [process.execPath, tree.startArguments] : ['npm', ['start', '--silent']]
    // A group of its own, so that what npm started ends with it.
    const started = spawn(program, args, { cwd: tree.path, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    try {
      const port = await portOf(started)
      return new Gateway(started, home, { port, startMs: performance.now() - began })
    } catch (thrown) {
      killGroup(started)
      rmSync(home, { recursive: true, force: true })
      throw thrown
    }
  }

  /** Stops it and removes its home. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = once(this.#process, 'exit')
      const timer = setTimeout(() => killGroup(this.#process), STOP_MS)
      // npm hands no signal on.
      process.kill(this.pid, 'SIGTERM')
      await gone
      clearTimeout(timer)
    }
    rmSync(this.#home, { recursive: true, force: true })
  }
}

/** Nobody is left where it never started. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
  }
}

async function portOf(started: ChildProcess): Promise<number> {
  let printed = ''
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`The gateway did not listen within ${START_MS} ms: ${printed}`)), START_MS)
    const hear = (chunk: unknown) => {
      printed += String(chunk)
      const port = /listens on \S+:(\d+)/.exec(printed)?.[1]
      if (port === undefined) return
      clearTimeout(timer)
      resolve(Number(port))
    }
    started.stdout?.on('data', hear)
    started.stderr?.on('data', hear)
    const fail = (why: string) => {
      clearTimeout(timer)
      reject(new Error(`The gateway did not start: ${why}`))
    }
    started.once('error', ({ message }) => fail(message))
    started.once('exit', () => fail(printed))
  })
}
