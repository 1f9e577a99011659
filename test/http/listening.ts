/** A gateway on a real port, for what only a real connection shows: chunked bodies, slow readers, closed sockets. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import type { TestPlugin } from '@isopod/testing'
import { FixedConfig } from '../../plugin-api/testing/fixed-config.ts'
import { sourceOf } from '../../plugin-api/testing/test-plugin.ts'
import { TokenBook } from '../../kernel/auth/tokens.ts'
import { systemClock, type Clock } from '../../kernel/clock.ts'
import { openGateway, type RunningGateway } from '../../kernel/gateway.ts'
import { openLog, type Log } from '../../kernel/log.ts'
import { openMemoryStore } from '../../kernel/store/memory.ts'
import type { TransportFactory } from '../../kernel/transport/transport.ts'

export const TOKEN = 'a-token-for-tests-that-nobody-guesses'

export interface Listening {
  readonly port: number
  readonly url: string
  readonly log: Log
  readonly config: FixedConfig
  readonly tokens: TokenBook
  readonly running: RunningGateway
}

export interface ListeningOptions {
  readonly transport: TransportFactory
  readonly plugins: readonly TestPlugin[]
  readonly config?: JsonObject
  readonly clock?: Clock
}

/** Opens it, and closes it when the test ends. */
export async function listening(t: TestContext, { transport, plugins, config = {}, clock = systemClock }: ListeningOptions): Promise<Listening> {
  const home = await mkdtemp(join(tmpdir(), 'isopod-listening-'))
  const log = openLog({ level: 'debug', console: false, clock })
  const tokens = new TokenBook({ home, clock, warn: (message) => log.warn(message) })
  const builtIn = await Promise.all(plugins.map(sourceOf))
  const fixed = new FixedConfig(withToken(config))
  const running = await openGateway({ version: '0.0.0-test', clock, log, config: fixed, store: openMemoryStore({ clock }), tokens, transport, builtIn, home })
  t.after(async () => {
    await running.close(0)
    await tokens.close()
    await log.close()
    await rm(home, { recursive: true, force: true })
  })
  return { port: running.port, url: `http://127.0.0.1:${running.port}`, log, config: fixed, tokens, running }
}

function withToken(config: JsonObject): JsonObject {
  const gateway = (config['gateway'] ?? {}) as JsonObject
  const limits = { requestsPerMinute: 0, callsPerMinute: 0, connections: 0, ...(gateway['limits'] as JsonObject | undefined) }
  return { ...config, gateway: { port: 0, ...gateway, auth: { token: TOKEN, ...(gateway['auth'] as JsonObject | undefined) }, limits } }
}
