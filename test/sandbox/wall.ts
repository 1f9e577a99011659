/** A wall with a plugin of the fixtures behind it, for one test: what it logged and asked for is kept, and it closes itself. */
import type { TestContext } from 'node:test'
import type { HostAnswer, Json, JsonObject, WalledEntry, WalledPlugin } from '@isopod/plugin-api'
import { openSandbox, type SandboxOptions } from '../../sandbox/sandbox.ts'

export interface Behind {
  readonly walled: WalledPlugin
  /** Each as `level text`. */
  readonly lines: string[]
  readonly logged: (pattern: RegExp) => Promise<string>
}

/** Loads a plugin of `fixtures/plugins`. */
export async function behindWall(t: TestContext, id = 'walled-echo', options: SandboxOptions = {}): Promise<Behind> {
  const sandbox = openSandbox(options)
  t.after(() => sandbox.close())
  const lines: string[] = []
  let heard = () => {}
  const log = (level: string, text: string) => {
    lines.push(`${level} ${text}`)
    heard()
  }
  const entry = new URL(`../../fixtures/plugins/${id}/index.ts`, import.meta.url).href
  const walled = await sandbox.load({ id, version: '1.0.0', entry }, log)
  const logged = (pattern: RegExp) =>
    new Promise<string>((resolve) => {
      heard = () => {
        const found = lines.find((line) => pattern.test(line))
        if (found !== undefined) resolve(found)
      }
      heard()
    })
  return { walled, lines, logged }
}

export type Host = NonNullable<WalledEntry['host']>

const CONTEXT = {
  caller: { id: 'token:t', scopes: ['read'], origin: 'owner', address: '127.0.0.1' },
  config: { greeting: 'hello' },
  now: 1_000_000,
} as const

/** An entry into a method of the fixture. */
export function toMethod(name: string, params: JsonObject = {}, more: Partial<WalledEntry> = {}): WalledEntry {
  return { target: { kind: 'method', name }, args: [params], context: CONTEXT, host: deaf, ...more }
}

const deaf: Host = async () => ({ ok: true })

/** A host that answers each op by a table, and tells of every op it was asked. */
export function hostOf(ops: Readonly<Record<string, (args: readonly Json[], signal: AbortSignal) => HostAnswer | Promise<HostAnswer>>>): Host & { readonly asked: string[] } {
  const asked: string[] = []
  const host: Host = async (op, args, signal) => {
    asked.push(`${op} ${JSON.stringify(args)}`)
    return ops[op]?.(args, signal) ?? { ok: true }
  }
  return Object.assign(host, { asked })
}

/** A promise and what settles it. */
export function waiting<Value = void>(): { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void } {
  return Promise.withResolvers<Value>()
}
