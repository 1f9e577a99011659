/**
 * The composition root: opens the real parts of a gateway (home, config, log, store, tokens, transport) and puts them
 * together. The only file that knows everyone. What is opened here is closed here, in the opposite order.
 */
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { TokenBook } from './auth/tokens.ts'
import { systemClock, type Clock } from './clock.ts'
import { openConfig, type ConfigSource } from './config/config.ts'
import { openGateway, type RunningGateway } from './gateway.ts'
import { openHome, type Home } from './home.ts'
import type { ChangeReport } from './kernel.ts'
import { readCatalog } from './lifecycle/catalog.ts'
import { openLog, type Log } from './log.ts'
import { openStore } from './store/driver.ts'
import { chooseTransport } from './transport/choose.ts'
import { version } from './version.ts'

export interface StartOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly port?: number
  /** A config file instead of the home's own. */
  readonly config?: string
  readonly clock?: Clock
}

export interface StartedGateway {
  readonly url: string
  readonly port: number
  readonly version: string
  readonly transport: string
  readonly home: string
  /** The token made at this start; shown once and never again. */
  readonly firstToken: string | undefined
  readonly auth: 'token' | 'password' | 'none'
  readonly report: ChangeReport
  readonly warnings: readonly string[]
  /** Drains, stops and closes everything. */
  close(): Promise<void>
}

/** The plugins that come with the gateway are the folders here. */
const BUILT_IN = fileURLToPath(new URL('../plugins', import.meta.url))

/**
 * Opens everything and listens.
 * @throws Error a sentence for the owner; whatever had been opened is closed again.
 */
export async function startGateway(options: StartOptions): Promise<StartedGateway> {
  const opened: (() => unknown)[] = []
  let closing: Promise<void> | undefined
  const closeAll = () => (closing ??= closeInTurn(opened))
  try {
    return await open(options, opened, closeAll)
  } catch (thrown) {
    // What went wrong first is what the owner has to hear.
    await closeAll().catch(() => {})
    throw thrown
  }
}

/** In the opposite order of opening. One that fails keeps no other open. */
async function closeInTurn(opened: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = []
  for (const close of opened.toReversed()) {
    try {
      await close()
    } catch (thrown) {
      failures.push(thrown)
    }
  }
  if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, 'Several parts could not be closed')
}

async function open(options: StartOptions, opened: (() => unknown)[], closeAll: () => Promise<void>): Promise<StartedGateway> {
  const clock = options.clock ?? systemClock
  const log = openLog({ clock })
  opened.push(() => log.close())
  const home = await openHome(options.env, { clock })
  opened.push(() => home.release())
  // The store's thread and the manifests are read while the config is: each alone would be a third of the start.
  const opening = openStore({ path: home.database, clock, log })
  opened.push(() => opening.then((store) => store.close(), () => {}))
  const reading = readCatalog(BUILT_IN)
  const config = await followConfig(options, home, clock, log)
  opened.push(() => config.close())
  const tokens = new TokenBook({ home: home.path, clock, warn: (message) => log.warn(message) })
  opened.push(() => tokens.close())
  const firstToken = await makeFirstToken(config, tokens)
  tokens.watch()
  const [store, builtIn, choice] = await Promise.all([opening, reading, chooseTransport(config.current.gateway.transport)])
  store.onFailure(({ kind, message }) => log.error(message, { kind }))
  log.info(choice.why)
  const gateway = await openGateway({ version: version(), clock, log, config, store, tokens, transport: choice.factory, builtIn, home: home.path })
  opened.push(() => gateway.close())
  home.announce(gateway.port)
  for (const warning of [...home.warnings, ...gateway.warnings]) log.warn(warning)
  return started({ gateway, home, config, log }, firstToken, closeAll)
}

/** Opens the config, and has the log do as it says, now and whenever it changes. */
async function followConfig(options: StartOptions, home: Home, clock: Clock, log: Log): Promise<ConfigSource> {
  const flags = options.port === undefined ? {} : { port: options.port }
  const config = await openConfig({ home: home.path, file: options.config, env: options.env, flags, clock, log })
  const follow = () => {
    const { level, file, pretty } = config.current.log
    log.adjust({ level, file: file === false ? undefined : (file ?? join(home.logs, 'gateway.log')), pretty })
  }
  follow()
  config.onChange(follow)
  return config
}

function makeFirstToken({ current }: ConfigSource, tokens: TokenBook): Promise<string | undefined> {
  const { enabled, token, password } = current.gateway.auth
  return enabled && !token && !password ? tokens.createFirst() : Promise.resolve(undefined)
}

interface Opened {
  readonly gateway: RunningGateway
  readonly home: Home
  readonly config: ConfigSource
  readonly log: Log
}

function started({ gateway, home, config, log }: Opened, firstToken: string | undefined, close: () => Promise<void>): StartedGateway {
  const scheme = config.current.gateway.tls ? 'https' : 'http'
  const host = gateway.hosts[0] ?? '127.0.0.1'
  const shown = host === '0.0.0.0' ? '127.0.0.1' : host
  const url = `${scheme}://${shown.includes(':') ? `[${shown}]` : shown}:${gateway.port}`
  log.info(`Listening on ${url}`, { transport: gateway.transport, plugins: gateway.report.brought.length })
  const { auth } = gateway.kernel.core.facts()
  return { url, port: gateway.port, version: version(), transport: gateway.transport, home: home.path, firstToken, auth, report: gateway.report, warnings: gateway.warnings, close }
}
