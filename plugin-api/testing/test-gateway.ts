/** Puts a gateway together from parts in memory, with the plugins under test in it, and takes it apart again. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject, Sandbox } from '@isopod/plugin-api'
import { TokenBook } from '@isopod/kernel/auth/tokens.ts'
import { systemClock, type Clock } from '@isopod/kernel/clock.ts'
import { openGateway, type RunningGateway } from '@isopod/kernel/gateway.ts'
import type { Kernel } from '@isopod/kernel/kernel.ts'
import type { Source } from '@isopod/kernel/lifecycle/catalog.ts'
import { openLog, type Log } from '@isopod/kernel/log.ts'
import type { StoreDriver } from '@isopod/kernel/store/driver.ts'
import { openMemoryStore } from '@isopod/kernel/store/memory.ts'
import { FixedConfig } from './fixed-config.ts'
import { MemoryTransport, type TestSocket } from './memory-transport.ts'
import { forgotten } from './renewal.ts'
import { Rhythm } from './rhythm.ts'
import { TestClient, type ClientOptions } from './test-client.ts'
import { TestClock } from './test-clock.ts'
import { sourceOf, type TestPlugin } from './test-plugin.ts'

export interface TestGatewayOptions {
  readonly plugins: readonly TestPlugin[]
  /** As in `gateway.yaml`. */
  readonly config?: JsonObject
  /** Puts every plugin that is given as a folder or an id behind the wall, but for those named here. */
  readonly wall?: boolean | { readonly except: readonly string[] }
  /** The machine's clock unless said; a `TestClock` stands still until it is moved. */
  readonly clock?: Clock
  /** An earlier gateway's, to see what is left after a restart. */
  readonly store?: StoreDriver
  /**
   * After how many calls every plugin is brought anew, so that one which relies on its own memory from call to call fails
   * early. Calls of clients, requests and upgrades count. 0 is never. Unless said it changes between 3 and 9, the same way
   * in every run of a test file.
   */
  readonly renewEvery?: number
}

/** The credential that the testing gateway's HTTP requests and sockets carry. */
const TOKEN = 'a-token-for-tests-that-nobody-guesses'

export interface TestGateway extends AsyncDisposable {
  readonly kernel: Kernel
  readonly log: Log
  readonly store: StoreDriver
  readonly config: FixedConfig
  readonly running: RunningGateway
  /** The token `fetch` and `connect` carry. */
  readonly token: string
  client(options?: ClientOptions): TestClient
  /** A request to the gateway's routes. Carries the token unless `authorization` says otherwise. */
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** Opens a socket. Carries the token unless `authorization` says otherwise; an empty one is left out. */
  connect(path?: string, headers?: Readonly<Record<string, string>>): Promise<TestSocket>
  /**
   * Brings every plugin anew, as a swap would.
   * @throws Error naming the plugins that could not be, and why.
   */
  renew(): Promise<void>
  /** Stops everything. The store stays open, for a gateway after this one. */
  close(): Promise<void>
}

/**
 * Opens it.
 * @throws Error where a plugin fails, naming it and why: a test that wants a failure asks the kernel's own tests.
 */
export async function testGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const closes: (() => unknown)[] = []
  try {
    return await opened(options, closes)
  } catch (thrown) {
    for (const close of closes.reverse()) await close()
    throw thrown
  }
}

/** @param closes takes what has to be closed where it comes to nothing. */
async function opened(options: TestGatewayOptions, closes: (() => unknown)[]): Promise<TestGateway> {
  const clock = options.clock ?? systemClock
  const home = await mkdtemp(join(tmpdir(), 'isopod-test-'))
  const log = openLog({ level: 'debug', console: false, clock })
  closes.push(() => rm(home, { recursive: true, force: true }), () => log.close())
  const sources = forgotten(await Promise.all(options.plugins.map(sourceOf)))
  const sandbox = options.wall ? await openWall() : undefined
  closes.push(() => sandbox?.close())
  const parts = {
    version: '0.0.0-test',
    clock,
    log,
    home,
    config: new FixedConfig(configWith(options, sources)),
    store: options.store ?? openMemoryStore({ clock }),
    tokens: new TokenBook({ home, clock, warn: (message) => log.warn(message) }),
    builtIn: sources,
  }
  const transport = new MemoryTransport()
  const running = await openGateway({ ...parts, transport: transport.factory, ...(sandbox && { sandbox }) })
  closes.push(() => parts.tokens.close(), () => running.close(0))
  const failures = Object.entries(running.report.failed)
  if (failures.length === 0) return new OpenTestGateway({ ...parts, running, transport, sandbox, rhythm: new Rhythm(options.renewEvery) })
  throw new Error(failures.map(([id, reason]) => `plugin ${id} failed: ${reason}`).join('; '))
}

async function openWall(): Promise<Sandbox> {
  const { openSandbox } = await import('@isopod/sandbox')
  return openSandbox()
}

/** The limits of a real gateway are for strangers and runaway clients; a test makes thousands of calls. */
const LIMITS = { requestsPerMinute: 0, callsPerMinute: 0, connections: 0 }

function configWith({ config = {}, wall = false }: TestGatewayOptions, sources: readonly Source[]): JsonObject {
  const { gateway, plugins } = config as { gateway?: JsonObject; plugins?: JsonObject }
  const trusted = typeof wall === 'object' ? wall.except : []
  const walled = wall === false ? [] : sources.filter(({ entry, manifest }) => entry !== undefined && !trusted.includes(manifest.id))
  const trust = Object.fromEntries(walled.map(({ manifest: { id } }) => [id, { trust: 'sandboxed', ...(plugins?.[id] as JsonObject | undefined) }]))
  return {
    ...config,
    gateway: { port: 1, ...gateway, auth: { token: TOKEN, ...(gateway?.['auth'] as JsonObject | undefined) }, limits: { ...LIMITS, ...(gateway?.['limits'] as JsonObject | undefined) } },
    plugins: { ...plugins, ...trust },
  }
}

interface Parts {
  readonly running: RunningGateway
  readonly transport: MemoryTransport
  readonly sandbox: Sandbox | undefined
  readonly rhythm: Rhythm
  readonly clock: Clock
  /** What the running gateway reads at every change. */
  readonly builtIn: Source[]
  readonly log: Log
  readonly home: string
  readonly config: FixedConfig
  readonly store: StoreDriver
  readonly tokens: TokenBook
}

class OpenTestGateway implements TestGateway {
  readonly token = TOKEN
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get running(): RunningGateway {
    return this.#parts.running
  }

  get kernel(): Kernel {
    return this.running.kernel
  }

  get log(): Log {
    return this.#parts.log
  }

  get store(): StoreDriver {
    return this.#parts.store
  }

  get config(): FixedConfig {
    return this.#parts.config
  }

  client(options: ClientOptions = {}): TestClient {
    return new TestClient(this.kernel.core, options, () => this.#restless())
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${TOKEN}`)
    if (headers.get('authorization') === '') headers.delete('authorization')
    const request = new Request(new URL(path, 'http://localhost'), { ...init, headers })
    await this.#restless()
    return this.#parts.transport.fetch(request)
  }

  async connect(path = '/', headers: Readonly<Record<string, string>> = {}): Promise<TestSocket> {
    const all = Object.entries({ authorization: `Bearer ${TOKEN}`, ...headers }).filter(([, value]) => value !== '')
    await this.#restless()
    return this.#parts.transport.connect(path, Object.fromEntries(all))
  }

  renew(): Promise<void> {
    const { clock } = this.#parts
    const renewed = this.#renew()
    // Time stands still meanwhile: whatever waits for the renewal was asked for before time passes.
    if (clock instanceof TestClock) clock.waitFor(renewed)
    return renewed
  }

  async close(): Promise<void> {
    await this.running.close()
    await this.#parts.sandbox?.close()
    await this.#parts.tokens.close()
    await this.log.close()
    await rm(this.#parts.home, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #restless(): Promise<void> {
    if (this.#parts.rhythm.isDue()) await this.renew()
  }

  async #renew(): Promise<void> {
    const { builtIn, running } = this.#parts
    builtIn.splice(0, builtIn.length, ...forgotten(builtIn))
    const { failed } = await running.renew()
    const failures = Object.entries(failed).filter(([id]) => builtIn.some(({ manifest }) => manifest.id === id))
    if (failures.length > 0) throw new Error(failures.map(([id, reason]) => `plugin ${id} failed when it was brought anew: ${reason}`).join('; '))
  }
}
