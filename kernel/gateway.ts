/**
 * A running gateway, put together from parts that somebody else has opened: the kernel in the middle, the front that lets
 * callers in, the transport outside, and the config that may change all of it while it runs. The composition root opens
 * real parts; the testing gateway opens some in memory.
 */
import type { Sandbox } from '@isopod/plugin-api'
import { Entrance } from './auth/entrance.ts'
import { Failures } from './auth/failures.ts'
import { Throttle } from './auth/throttle.ts'
import type { TokenBook } from './auth/tokens.ts'
import type { Clock } from './clock.ts'
import type { ConfigSource } from './config/config.ts'
import { changedForNextStart } from './config/next-start.ts'
import type { Config } from './config/schema.ts'
import { Events } from './events.ts'
import type { Front } from './front.ts'
import { Health } from './health.ts'
import { serve } from './http/serve.ts'
import { Kernel, type ChangeReport } from './kernel.ts'
import type { Source } from './lifecycle/catalog.ts'
import { wantedPlugins, type ReadWishes } from './lifecycle/wanted.ts'
import { BACKPRESSURE_BYTES, FRAME_BYTES, IDLE_TIMEOUT_SECONDS } from './limits.ts'
import { limitsInForce } from './limits-in-force.ts'
import type { Log } from './log.ts'
import { LogFollowers } from './log-followers.ts'
import { ownMethods } from './own-methods/index.ts'
import { beat } from './pulse.ts'
import type { StoreDriver } from './store/driver.ts'
import type { Transport, TransportFactory } from './transport/transport.ts'
import { Connections } from './wire/connections.ts'
import { decideUpgrade } from './wire/upgrade.ts'

export interface GatewayParts {
  readonly version: string
  readonly clock: Clock
  readonly log: Log
  readonly config: ConfigSource
  readonly store: StoreDriver
  readonly tokens: TokenBook
  readonly transport: TransportFactory
  /** The plugins that come with the gateway. */
  readonly builtIn: readonly Source[]
  /** Folders in the config are relative to this one. */
  readonly home: string
  readonly sandbox?: Sandbox
}

export interface RunningGateway {
  readonly kernel: Kernel
  readonly port: number
  readonly hosts: readonly string[]
  readonly transport: Transport['name']
  /** What the owner should hear, a sentence each. */
  readonly warnings: readonly string[]
  /** What the first application of the config did. */
  readonly report: ChangeReport
  /** Resolves once the config in force has been applied, with what that did. */
  settled(): Promise<ChangeReport | undefined>
  /** Brings every plugin anew although nothing has changed. Calls in flight finish where they began. */
  renew(): Promise<ChangeReport>
  /** Refuses what is new, lets runs finish for `drainMs`, tells the sockets, stops the plugins. The parts stay open. */
  close(drainMs?: number): Promise<void>
}

/**
 * Applies the config, then listens.
 * @throws Error a sentence for the owner: it would bind where it must not, or the port is taken.
 */
export async function openGateway(parts: GatewayParts): Promise<RunningGateway> {
  const gateway = new Gateway(parts)
  try {
    await gateway.open()
    return gateway
  } catch (thrown) {
    await gateway.close(0)
    throw thrown
  }
}

class Gateway implements RunningGateway {
  readonly kernel: Kernel
  readonly #parts: GatewayParts
  readonly #throttle: Throttle
  readonly #health: Health
  readonly #connections: Connections
  readonly #followers: LogFollowers
  readonly #front: Front
  readonly #undo: (() => void)[] = []
  readonly #entrance: Entrance
  #transport: Transport | undefined
  #bound: { readonly port: number; readonly hosts: readonly string[] } = { port: 0, hosts: [] }
  #report: ChangeReport | undefined
  #applying: Promise<ChangeReport | undefined> = Promise.resolve(undefined)
  #closing: Promise<void> | undefined

  constructor(parts: GatewayParts) {
    this.#parts = parts
    const { clock, log, store, config, tokens } = parts
    this.#followers = new LogFollowers(log, clock)
    const limits = limitsInForce(config)
    this.#throttle = new Throttle(clock, limits)
    this.#entrance = new Entrance(config.current, { tokens, failures: new Failures(clock, limits, (message) => log.warn(message)) })
    this.#health = new Health({ clock, facts: () => this.#facts(), troubles: () => this.#troubles() })
    this.kernel = new Kernel({
      log,
      storeOf: (id) => store.namespace(id),
      ...(parts.sandbox && { sandbox: parts.sandbox }),
      core: {
        clock,
        events: new Events(clock),
        closing: () => this.#closing !== undefined,
        deadlineMs: () => config.current.gateway.limits.timeoutSeconds * 1000,
        overRate: (callerId, at) => this.#throttle.take(callerId, 'call', at),
        facts: () => this.#health.facts,
      },
    })
    this.#front = this.#frontOf()
    this.#connections = new Connections(this.#front)
  }

  get port(): number {
    return this.#bound.port
  }

  get hosts(): readonly string[] {
    return this.#bound.hosts
  }

  get transport(): Transport['name'] {
    return this.#transport?.name ?? 'ws'
  }

  get warnings(): readonly string[] {
    return this.#entrance.auth.warnings
  }

  get report(): ChangeReport {
    return this.#report ?? { generation: 0, brought: [], retired: [], failed: {} }
  }

  settled(): Promise<ChangeReport | undefined> {
    return this.#applying
  }

  renew(): Promise<ChangeReport> {
    return this.#apply(new Set(this.kernel.rows().map(({ id }) => id)))
  }

  async open(): Promise<void> {
    const { config, tokens } = this.#parts
    const binding = this.#entrance.binding(config.current)
    this.#report = await this.#apply()
    await this.#listen(binding.hosts)
    const { core } = this.kernel
    this.#undo.push(beat({ clock: core.clock, events: core.events, facts: () => core.facts() }))
    this.#undo.push(config.onChange((now, before) => this.#changed(now, before)))
    this.#undo.push(tokens.onGone((ids) => this.#hangUp(ids.map((id) => `token:${id}`))))
  }

  close(drainMs?: number): Promise<void> {
    this.#closing ??= this.#close(drainMs)
    return this.#closing
  }

  async #close(drainMs: number | undefined): Promise<void> {
    for (const undo of this.#undo) undo()
    this.#followers.close()
    this.#transport?.stopListening()
    await this.kernel.stop(drainMs)
    this.#connections.close(1012, 'The gateway is stopping')
    await this.#transport?.close()
    this.#health.close()
  }

  async #listen(hosts: readonly string[]): Promise<void> {
    const { gateway } = this.#parts.config.current
    const options = {
      hosts,
      port: gateway.port,
      maxFrameBytes: FRAME_BYTES,
      maxBackpressureBytes: BACKPRESSURE_BYTES,
      idleTimeoutSeconds: IDLE_TIMEOUT_SECONDS,
      ...(gateway.tls && { tls: { certFile: gateway.tls.cert, keyFile: gateway.tls.key } }),
    }
    const connections = this.#connections
    this.#transport = this.#parts.transport(options, {
      request: (exchange) => serve(this.#front, exchange),
      upgrade: (head) => decideUpgrade(this.#front, head),
      open: (socket) => connections.opened(socket),
      message: (socket, text, binary) => connections.message(socket, text, binary),
      drain: (socket) => connections.drain(socket),
      close: (socket) => connections.closed(socket),
      malformed: (reason, address) => this.#parts.log.debug(`A malformed request was refused: ${reason}`, { address }),
    })
    this.#bound = await this.#transport.listen()
    const { current } = this.#parts.config
    this.#entrance.opened(current, this.#bound.hosts)
    // It may have changed since the start began; from here on it tells.
    this.#admitUnder(current)
  }

  /** Brings what is wanted now. Changes are applied in the order they came. */
  #apply(renew: ReadonlySet<string> = new Set()): Promise<ChangeReport> {
    const applied = this.#applying.then(async () => {
      const wanted = await this.#wishes()
      for (const warning of wanted.warnings) this.#parts.log.warn(warning)
      const own = { source: this.#ownMethods(), trust: 'trusted', config: {} } as const
      const report = await this.kernel.apply({ ...wanted, renew, plugins: [own, ...wanted.plugins] })
      // What is replaced waits for the calls that began beside it, and these never end.
      if (report.retired.length > 0) this.#followers.turn()
      return report
    })
    this.#applying = applied.catch(() => undefined)
    return applied
  }

  #wishes(config = this.#parts.config.current): Promise<ReadWishes> {
    const { builtIn, home } = this.#parts
    return wantedPlugins({ config, builtIn, home })
  }

  #ownMethods(): Source {
    const { config, log, tokens, version } = this.#parts
    const parts = {
      kernel: () => this.kernel,
      tokens,
      config,
      log,
      followers: this.#followers,
      wishes: (wish?: Config) => this.#wishes(wish),
      settled: () => this.settled(),
      renew: (id: string) => this.#apply(new Set([id])),
    }
    return ownMethods(parts, version)
  }

  #changed(now: Config, before: Config): void {
    this.#admitUnder(now)
    for (const field of changedForNextStart(now, before)) this.#parts.log.warn(`${field} has changed: it takes effect at the next start`)
    void this.#apply().then((report) => {
      this.#parts.log.info('The config was applied', { ...report })
      this.kernel.core.events.tell('config.changed', { generation: report.generation, revision: this.#parts.config.revision })
    })
  }

  /** Who may come in from now on. */
  #admitUnder(now: Config): void {
    let lapsed
    try {
      lapsed = this.#entrance.change(now)
    } catch (thrown) {
      this.#parts.log.error(`gateway.auth stays as it was. ${(thrown as Error).message}`)
      return
    }
    this.#hangUp(lapsed)
  }

  /** Closes the sockets of credentials that no longer work, and what has no socket and no end of its own. */
  #hangUp(callerIds: readonly string[]): void {
    if (callerIds.length === 0) return
    this.#followers.hangUp(callerIds)
    this.#connections.close(1008, 'This credential no longer works', ({ caller }) => caller !== undefined && callerIds.includes(caller.id))
  }

  #frontOf(): Front {
    const { config, version } = this.#parts
    return {
      core: this.kernel.core,
      version,
      auth: () => this.#entrance.auth,
      names: () => this.#entrance.names,
      throttle: () => this.#throttle,
      limits: () => config.current.gateway.limits,
      dialects: () => config.current.gateway.dialects,
    }
  }

  #facts() {
    const { version, config } = this.#parts
    const bind = this.#bound.hosts[0] ?? config.current.gateway.bind
    return { version, port: this.#bound.port, bind, auth: this.#entrance.auth.kind, transport: this.transport, listening: this.#bound.port !== 0 }
  }

  #troubles(): readonly string[] {
    const found = [this.#parts.store.stats().trouble, this.kernel.core.stalls.trouble]
    return [...found.filter((trouble) => trouble !== undefined), ...(this.#closing !== undefined ? ['the gateway is stopping'] : [])]
  }
}
