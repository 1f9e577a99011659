/**
 * The composition root: opens the real parts of a gateway (home, config, log, store, tokens, transport) and puts them
 * together. The only file that knows everyone. What is opened here is closed here, in the opposite order.
 */
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { isLoopback } from './auth/address.ts'
import { digestOf } from './auth/digest.ts'
import { TokenBook } from './auth/tokens.ts'
import { FIRST_TOKEN } from './auth/new-token.ts'
import { Call } from './call.ts'
import { systemClock, type Clock } from './clock.ts'
import { openConfig, type ConfigSource } from './config/config.ts'
import { overridesFrom, TOKEN_VARIABLES } from './config/override.ts'
import { dispatch } from './dispatch.ts'
import { openGateway, type RunningGateway } from './gateway.ts'
import { holderInWords, openHome, type Home } from './home.ts'
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
  /** Ends the start where it has come to: what has been opened is closed, and the start rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Told of the log, and of how to close what has been opened, as soon as there is something to close. */
  readonly onOpening?: (log: Log, close: (drainMs: number) => Promise<void>) => void
}

export interface StartedGateway {
  readonly url: string
  readonly port: number
  readonly version: string
  readonly transport: string
  readonly home: string
  /** The token made at this start; shown once and never again. */
  readonly firstToken: string | undefined
  /** The variable of the environment whose token is in force instead of a made one. */
  readonly tokenFrom: string | undefined
  /** Reached from other machines, and whether what they send can be read on the way. */
  readonly isOpen: boolean
  readonly isEncrypted: boolean
  /** Which model answers whoever names none. */
  readonly model: string | undefined
  readonly auth: 'token' | 'password' | 'none'
  readonly report: ChangeReport
  readonly warnings: readonly string[]
  /** Drains, stops and closes everything. */
  close(drainMs?: number): Promise<void>
}

/** What SQLite and the sessions make of a process that was cut off; what became of its runs is said by whoever kept them. */
const CARRIED_ON = 'Its database opened well: everything it had acknowledged is there'

/** The plugins that come with the gateway are the folders here. */
const BUILT_IN = fileURLToPath(new URL('../plugins', import.meta.url))

type Close = (drainMs?: number) => unknown
type CloseAll = (drainMs?: number) => Promise<void>

/**
 * Opens everything and listens.
 * @throws Error a sentence for the owner; whatever had been opened is closed again.
 */
export async function startGateway(options: StartOptions): Promise<StartedGateway> {
  const opened: Close[] = []
  let closing: Promise<void> | undefined
  const closeAll = (drainMs?: number) => (closing ??= closeInTurn(opened, drainMs))
  try {
    return await open(options, opened, closeAll)
  } catch (thrown) {
    // What went wrong first is what the owner has to hear.
    await closeAll().catch(() => {})
    throw thrown
  }
}

/** In the opposite order of opening. One that fails keeps no other open. */
async function closeInTurn(opened: readonly Close[], drainMs: number | undefined): Promise<void> {
  const failures: unknown[] = []
  for (const close of opened.toReversed()) {
    try {
      await close(drainMs)
    } catch (thrown) {
      failures.push(thrown)
    }
  }
  if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, 'Several parts could not be closed')
}

async function open(options: StartOptions, opened: Close[], closeAll: CloseAll): Promise<StartedGateway> {
  const clock = options.clock ?? systemClock
  const log = openLog({ clock })
  opened.push(() => log.close())
  options.onOpening?.(log, closeAll)
  const home = await openHome(options.env, { clock })
  opened.push(() => home.release())
  // The store's thread and the manifests are read while the config is: each alone would be a third of the start.
  const opening = openStore({ path: home.database, clock, log })
  const reading = readCatalog(BUILT_IN)
  // Both are awaited further down; until then a failure of theirs must not pass for one that nobody handles.
  for (const early of [opening, reading]) early.catch(() => {})
  opened.push(() => opening.then((store) => store.close(), () => {}))
  const tokens = new TokenBook({ home: home.path, clock, warn: (message) => log.warn(message) })
  opened.push(() => tokens.close())
  const env = withoutKnownToken(options.env, tokens)
  const config = await followConfig({ ...options, env }, home, clock, log)
  opened.push(() => config.close())
  const firstToken = await makeFirstToken(config, tokens)
  let isShown = false
  // A start that fails shows nothing: the next one must make a token that is.
  opened.push(() => (firstToken !== undefined && !isShown ? tokens.revoke(FIRST_TOKEN) : undefined))
  tokens.watch()
  options.signal?.throwIfAborted()
  const [store, builtIn, choice] = await Promise.all([opening, reading, chooseTransport(config.current.gateway.transport)])
  log[choice.name === 'uws' ? 'debug' : 'info'](choice.why)
  if (home.cutOff) log.warn(`The gateway before this one (${holderInWords(home.cutOff)}) did not end by itself. ${CARRIED_ON}`)
  options.signal?.throwIfAborted()
  const gateway = await openGateway({ version: version(), clock, log, config, store, tokens, transport: choice.factory, builtIn, home: home.path })
  opened.push((drainMs) => gateway.close(drainMs))
  home.announce(gateway.port)
  for (const warning of [...home.warnings, ...gateway.warnings]) log.warn(warning)
  const tokenFrom = overridesFrom(env).find(({ path }) => path.at(-1) === 'token')?.from
  const known = await started({ gateway, home, config, log })
  options.signal?.throwIfAborted()
  isShown = true
  return { ...known, firstToken, tokenFrom, close: closeAll }
}

/**
 * The environment without a token that the book knows already: whoever follows the README has his own token in the shell he
 * starts the gateway from, and it must not become another one, with every scope, by that.
 */
function withoutKnownToken(env: StartOptions['env'], tokens: TokenBook): StartOptions['env'] {
  const known = Object.entries(env).filter(([name, value]) => TOKEN_VARIABLES.includes(name) && value && tokens.find(digestOf(value)))
  return { ...env, ...Object.fromEntries(known.map(([name]) => [name, undefined])) }
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

/** What a person should know of it, but for the credentials. */
async function started({ gateway, home, config, log }: Opened): Promise<Omit<StartedGateway, 'firstToken' | 'tokenFrom' | 'close'>> {
  const scheme = config.current.gateway.tls ? 'https' : 'http'
  const host = gateway.hosts[0] ?? '127.0.0.1'
  const shown = host === '0.0.0.0' ? '127.0.0.1' : host
  const url = `${scheme}://${shown.includes(':') ? `[${shown}]` : shown}:${gateway.port}`
  log.info(`Listening on ${url}`, { transport: gateway.transport, hosts: gateway.hosts.join(' ') })
  const { auth } = gateway.kernel.core.facts()
  const { port, transport, report, warnings } = gateway
  const reach = { isOpen: !gateway.hosts.every(isLoopback), isEncrypted: scheme === 'https' }
  const model = await defaultModel(gateway)
  return { url, port, version: version(), transport, home: home.path, auth, report, warnings, ...reach, model }
}

/** Which model answers whoever names none; undefined where no plugin knows of models. */
async function defaultModel({ kernel }: RunningGateway): Promise<string | undefined> {
  const caller = { id: 'kernel', scopes: ['read'], origin: 'owner' } as const
  try {
    const { models } = (await dispatch(new Call({ core: kernel.core, caller, method: 'model.list' }), {})) as { models: { id: string; default: boolean }[] }
    return models.find((model) => model.default)?.id
  } catch {
    return undefined
  }
}
