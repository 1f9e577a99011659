/**
 * A gateway that lives in a thread and follows the files it is given: its config, and the folder of a plugin. The thread is what
 * makes a hang visible from outside, ends one, and bounds its memory. This file is that thread; whoever asks it is in
 * `workshop.ts`.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { isRpcError } from '@isopod/plugin-api'
import { sourceOf } from '../../plugin-api/testing/test-plugin.ts'
import { TokenBook } from '../../kernel/auth/tokens.ts'
import { Call } from '../../kernel/call.ts'
import { systemClock } from '../../kernel/clock.ts'
import { openConfig } from '../../kernel/config/config.ts'
import { CONFIG_NAMES } from '../../kernel/config/load.ts'
import { describeProblem } from '../../kernel/config/problem.ts'
import { dispatch } from '../../kernel/dispatch.ts'
import { openGateway, type RunningGateway } from '../../kernel/gateway.ts'
import { readCatalog } from '../../kernel/lifecycle/catalog.ts'
import { openLog } from '../../kernel/log.ts'
import { openMemoryStore } from '../../kernel/store/memory.ts'
import { builtIn } from './surface.ts'
import type { Answered, Asked } from './workshop.ts'

/** What the environment holds while configs are read; nothing of it may be told. */
const ENV = { FUZZ_SECRET: 'never-to-be-told-4711', FUZZ_EMPTY: '', FUZZ_PORT: '5', FUZZ_LINES: 'a\nb: c', FUZZ_REFERENCE: '${FUZZ_SECRET}', FUZZ_LONG: 'x'.repeat(100_000) }
/** A transport that nobody can reach: what is fuzzed here comes from files. */
const CLOSED = () => ({ name: 'ws' as const, listen: async () => ({ port: 1, hosts: ['127.0.0.1'] }), stopListening: () => {}, close: async () => {} })
const CALLER = { id: 'fuzz', scopes: ['read', 'write', 'admin', 'approve'], origin: 'owner' } as const

const home = await mkdtemp(join(tmpdir(), 'isopod-fuzz-'))
const log = openLog({ level: 'error', console: false, clock: systemClock })
const config = await openConfig({ home, env: ENV, clock: systemClock, log, watch: false })
const tokens = new TokenBook({ home, clock: systemClock, warn: () => {} })
const sources = await Promise.all((await builtIn()).map(sourceOf))
const gateway = await openGateway({ version: '0', clock: systemClock, log, config, store: openMemoryStore({ clock: systemClock }), tokens, transport: CLOSED, builtIn: sources, home })
let turns = 0
/** Faults in the log that have been told. */
let seen = 0

parentPort?.on('message', (asked: Asked | 'close') => void (asked === 'close' ? close() : answer(asked)))
parentPort?.postMessage({ kind: 'ready' })

async function answer(asked: Asked): Promise<void> {
  try {
    const problems = asked.kind === 'config' ? await followConfig(asked.name, asked.text) : await followPlugin(asked)
    parentPort?.postMessage({ kind: 'answer', problems: [...problems, ...(await faults(gateway))] } satisfies Answered)
  } catch (thrown) {
    parentPort?.postMessage({ kind: 'answer', problems: [`something was thrown: ${thrown instanceof Error ? thrown.stack : String(thrown)}`] } satisfies Answered)
  }
}

/** Puts a config in place, changes it as a method would, and puts a good one back. */
async function followConfig(name: string, text: string): Promise<readonly string[]> {
  await onlyConfig(name, text)
  const told = (await config.reload()).map(describeProblem)
  await gateway.settled()
  const unsettled = await faults(gateway)
  const updated = await updateRefusal()
  await gateway.settled()
  const broken = updated === undefined ? (await config.reload()).filter(({ severity }) => severity === 'error').map((problem) => `after a change that was accepted: ${describeProblem(problem)}`) : []
  return [...unsettled, ...told.flatMap(untold), ...(updated ?? []).flatMap(untold), ...broken, ...(await recovers())]
}

async function recovers(): Promise<readonly string[]> {
  turns += 1
  await onlyConfig('gateway.yaml', `agents: { default: { system: 'turn ${turns}' } }\n`)
  const told = await config.reload()
  await gateway.settled()
  const missing = gateway.kernel.rows().filter(({ state }) => state !== 'ready').map(({ id, state }) => `${id} is ${state} under a good config`)
  return [...told.map((problem) => `a good config is not taken: ${describeProblem(problem)}`), ...missing]
}

async function onlyConfig(name: string, text: string): Promise<void> {
  await Promise.all(CONFIG_NAMES.map((one) => rm(join(home, one), { force: true })))
  await writeFile(join(home, name), text, 'latin1')
}

/** What a change by a method is refused with, or undefined. What is no refusal is thrown on. */
async function updateRefusal(): Promise<readonly string[] | undefined> {
  try {
    await config.update({ hooks: { maxBodyBytes: 1000 + turns } }, { revision: config.revision })
    return undefined
  } catch (thrown) {
    if (isRpcError(thrown) && thrown.code !== 'internal') return [thrown.message]
    throw thrown
  }
}

async function followPlugin({ text, trust }: Extract<Asked, { kind: 'manifest' }>): Promise<readonly string[]> {
  turns += 1
  const folder = join(home, 'folders', 'mine')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), text, 'latin1')
  await writeFile(join(folder, 'index.js'), 'export default { register() {} }\n')
  const alone = await readCatalog(join(home, 'folders')).then(() => [], (thrown: Error) => [thrown.message])
  await onlyConfig('gateway.yaml', `plugins: { mine: { from: ./folders/mine, trust: ${trust}, config: { a: ${turns} } } }\n`)
  await config.reload()
  await gateway.settled()
  const mine = gateway.kernel.rows().find(({ id }) => id === 'mine')
  const reasons = mine?.failed === undefined ? [] : [mine.failed.reason]
  const others = gateway.kernel.rows().filter(({ id, state }) => id !== 'mine' && state !== 'ready').map(({ id, state }) => `${id} is ${state} because of another's manifest`)
  const unsaid = mine === undefined ? ['a plugin that the config wants is not listed'] : []
  const unknown = mine !== undefined && mine.state !== 'ready' && reasons.length === 0 ? [`mine is ${mine.state} and nobody says why`] : []
  return [...others, ...unsaid, ...unknown, ...[...alone, ...reasons].flatMap(untold), ...reasons.filter(tellsPlace).map((reason) => `where it lies is told: ${reason}`)]
}

/** Whether a caller learns from it where the home is. What Node says of an import that failed is passed on as it is. */
function tellsPlace(reason: string): boolean {
  return reason.includes(home) && !/imported from|Cannot find (?:module|package)|package config/.test(reason)
}

/** What a sentence should not say. */
function untold(sentence: string): readonly string[] {
  if (sentence.includes(ENV.FUZZ_SECRET)) return [`a secret is told: ${sentence}`]
  return /TypeError|RangeError|Cannot (?:read|destructure)|is not a function|is not iterable|Maximum call stack|must be of type|ERR_/.test(sentence) ? [`it is said in the engine's words: ${sentence}`] : []
}

/** Whether it still answers, and what it logged that is no mistake of the owner's. */
async function faults({ kernel }: RunningGateway): Promise<readonly string[]> {
  const answered = await dispatch(new Call({ core: kernel.core, caller: CALLER, method: 'system.ping' }), {})
  const logged = log.recent({ level: 'error', limit: 1000 }).entries.filter(({ message }) => /could not be carried out|could not be looked at|failed to follow/.test(message))
  const fresh = logged.slice(seen)
  seen = logged.length
  return [...(answered === undefined ? ['system.ping is not answered'] : []), ...fresh.map((entry) => `it logged: ${JSON.stringify(entry)}`)]
}

async function close(): Promise<void> {
  await gateway.close(0)
  config.close()
  await tokens.close()
  await log.close()
  await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  parentPort?.close()
}
