/** A gateway as a person starts it: another process, a home of its own, a port of its own; and the clients people have. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import type { TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'

const LAUNCHER = fileURLToPath(new URL('../../kernel/cli/launcher.mjs', import.meta.url))
const TOKEN = 'a-token-for-tests-that-nobody-guesses'

export interface StartOptions {
  /** The text of `gateway.yaml`. */
  readonly config?: string
  /** An earlier gateway's home. */
  readonly home?: string
  /** Without a token from the environment, the gateway makes one and prints it. */
  readonly ownToken?: boolean
  /** A command that starts it, given the gateway's own command line and the home as `$ISOPOD_HOME`. */
  readonly through?: readonly string[]
  /** A free one unless said. */
  readonly port?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Every gateway that was started, by its home. */
const atHome = new Map<string, StartedGateway[]>()

export class StartedGateway {
  readonly url: string
  readonly token: string
  readonly home: string
  /** All it has printed. */
  printed: string
  readonly #child: ChildProcess

  constructor(child: ChildProcess, home: string, printed: string) {
    this.#child = child
    this.home = home
    atHome.set(home, [...(atHome.get(home) ?? []), this])
    this.printed = printed
    this.url = /listens on (\S+)/.exec(printed)?.[1] ?? ''
    this.token = /ISOPOD_TOKEN=(\S+)/.exec(printed)?.[1] ?? TOKEN
    child.stdout?.on('data', (chunk) => (this.printed += String(chunk)))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${this.token}`)
    return fetch(new URL(path, this.url), { ...init, headers })
  }

  async socket(): Promise<RpcSocket> {
    const socket = new WebSocket(this.url.replace('http', 'ws'), { headers: { authorization: `Bearer ${this.token}` } })
    const rpc = new RpcSocket(socket)
    await once(socket, 'open')
    return rpc
  }

  /** Closes this end of what it prints to. */
  stopReading(): void {
    this.#child.stdout?.destroy()
    this.#child.stderr?.destroy()
  }

  /** Sends it a signal and goes on. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves once it has printed this. */
  async prints(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.printed)) await Promise.race([once(this.#child.stdout ?? this.#child, 'data'), once(this.#child.stderr ?? this.#child, 'data')])
  }

  /** Everything in its log file. */
  async log(): Promise<string> {
    return readFile(join(this.home, 'logs', 'gateway.log'), 'utf8')
  }

  /** Resolves once the log holds this; each look asks the gateway something, so this waits for it and not for time. */
  async logs(pattern: RegExp): Promise<string> {
    for (;;) {
      const text = await this.log()
      if (pattern.test(text)) return text
      await this.fetch('/healthz')
    }
  }

  /** Resolves once the process has ended by itself. */
  async ended(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
    return { code: this.#child.exitCode, signal: this.#child.signalCode }
  }

  /** Ends it; resolves once the process is gone. */
  async kill(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit')
      this.#child.kill(signal)
      await exited
    }
    return { code: this.#child.exitCode, signal: this.#child.signalCode }
  }

  /** Ends it and removes its home. Whoever else was started there ends first, or it would write into what is being removed. */
  async remove(): Promise<void> {
    await Promise.all((atHome.get(this.home) ?? [this]).map((one) => one.kill('SIGKILL')))
    atHome.delete(this.home)
    await rm(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}

/** One that lives as long as a test. */
export async function gatewayFor(test: TestContext, options: StartOptions = {}): Promise<StartedGateway> {
  const gateway = await startGateway(options)
  test.after(() => gateway.remove())
  return gateway
}

/** Starts one and waits until it listens. Rejects with what it printed where it does not. */
export async function startGateway(options: StartOptions = {}): Promise<StartedGateway> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'isopod-home-')))
  if (options.config !== undefined) await writeFile(join(home, 'gateway.yaml'), options.config)
  const env = { PATH: process.env['PATH'], ISOPOD_HOME: home, ...(!options.ownToken && { ISOPOD_TOKEN: TOKEN }), ...options.env }
  const [command, ...args] = [...(options.through ?? []), process.execPath, LAUNCHER, 'start', '--port', options.port ?? '0']
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  child.stderr.on('data', (chunk) => (printed += String(chunk)))
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      printed += String(chunk)
      if (/listens on \S+[\s\S]*curl/.test(printed)) resolve()
    })
    // Only now has all of it been read.
    child.once('close', () => reject(new Error(`the gateway did not start: ${printed}`)))
  })
  return new StartedGateway(child, home, printed)
}

/** A client of the rpc dialect, over the `ws` package. */
export class RpcSocket {
  readonly frames: JsonObject[] = []
  readonly #socket: WebSocket
  /** The code it is closed with. */
  readonly closed: Promise<number>
  #waiting: (() => void)[] = []
  #isClosed = false
  #ids = 0

  constructor(socket: WebSocket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => socket.on('close', resolve))
    socket.on('message', (data) => {
      this.frames.push(JSON.parse(String(data)) as JsonObject)
      this.#wake()
    })
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
    socket.on('error', () => {})
  }

  /** The first frame, past or to come, that fits. */
  async first(fits: (frame: JsonObject) => boolean): Promise<JsonObject> {
    for (;;) {
      const found = this.frames.find(fits)
      if (found) return found
      if (this.#isClosed) throw new Error(`the socket closed; it had said ${JSON.stringify(this.frames)}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Sends a request and answers its id. */
  send(method: string, params: JsonObject = {}): number {
    this.#ids += 1
    this.#socket.send(JSON.stringify({ id: this.#ids, method, params }))
    return this.#ids
  }

  /** Sends a request and waits for its reply. */
  call(method: string, params: JsonObject = {}): Promise<JsonObject> {
    const id = this.send(method, params)
    return this.first((frame) => frame['id'] === id)
  }

  /** The data of every event of this name, in order. */
  events(type: string): JsonObject[] {
    return this.frames.filter((frame) => frame['type'] === type).map((frame) => frame['data'] as JsonObject)
  }

  /** Drops the connection as a lost network would. */
  lose(): void {
    this.#socket.terminate()
  }

  close(): void {
    this.#socket.close()
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
