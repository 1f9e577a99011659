/**
 * The global names a walled plugin sees: ECMAScript's and the web's, of which the isolate of the real wall will have the
 * same. Node's own are gone, so that asking `typeof process` answers what it will answer there; what the wall does not grant
 * is there and says so when it is used.
 */
import process from 'node:process'
import { format } from 'node:util'
import { actedInRegister, openedInRegister, RpcError } from '@isopod/plugin-api'
import type { LogLine } from './messages.ts'

const ECMASCRIPT = `AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError
FinalizationRegistry Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array Intl Iterator JSON Map Math NaN Number
Object Promise Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String Symbol SyntaxError TypeError URIError
Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent
escape eval globalThis isFinite isNaN parseFloat parseInt undefined unescape`

const WEB = `AbortController AbortSignal Blob ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy Crypto CryptoKey CustomEvent
DOMException DecompressionStream Event EventTarget File FormData Headers Performance ReadableByteStreamController ReadableStream
ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Request Response
SubtleCrypto TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL
URLSearchParams WritableStream WritableStreamDefaultController WritableStreamDefaultWriter atob btoa clearInterval clearTimeout console
crypto performance queueMicrotask setInterval setTimeout structuredClone`

/** Node takes the types off a module with a WebAssembly program of its own, and looks for it under this name. */
const NODE_NEEDS = 'WebAssembly'

const KEPT = new Set(`${ECMASCRIPT} ${WEB} ${NODE_NEEDS}`.split(/\s+/))
const TIMERS = ['setTimeout', 'setInterval'] as const

// The scope as a table: its names are data here.
const scope = globalThis as unknown as Record<string, unknown>

/** Removes, replaces and refuses. Called once, after the child's own modules are loaded. */
export function furnish(label: string, log: (line: Omit<LogLine, 'type'>) => void): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) if (!KEPT.has(name)) Reflect.deleteProperty(scope, name)
  // The web's timers are numbers; Node takes its own back as numbers once they have been read as such.
  for (const name of TIMERS) {
    const timer = scope[name] as (...args: unknown[]) => unknown
    set(name, (...args: unknown[]) => Number(timer(...args)))
  }
  set('fetch', () => Promise.reject(notGranted('fetch', label)))
  set('WebSocket', refusedSocket(label))
  set('console', consoleTo(log))
}

function set(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
}

function notGranted(name: string, label: string): RpcError {
  return new RpcError('forbidden', `\`${name}\` is not granted to ${label}`)
}

function refusedSocket(label: string): unknown {
  return class WebSocket {
    constructor() {
      throw notGranted('WebSocket', label)
    }
  }
}

function consoleTo(log: (line: Omit<LogLine, 'type'>) => void): object {
  const line = (level: LogLine['level']) => (...args: unknown[]) => log({ level, text: format(...args) })
  return { debug: line('info'), log: line('info'), info: line('info'), warn: line('warn'), error: line('error'), trace: line('info') }
}

/**
 * Runs `register` and holds it to its word: timers and the network throw while it runs, and afterwards nothing may be open
 * that was not before.
 * @throws Error that names what was opened.
 */
export function declareOnly<Answer>(declare: () => Answer): Answer {
  const names = [...TIMERS, 'fetch', 'WebSocket']
  const originals = names.map((name) => [name, scope[name]] as const)
  const before = process.getActiveResourcesInfo()
  for (const name of names) set(name, refusedInRegister(name))
  try {
    const answer = declare()
    const opened = newlyOpened(before, process.getActiveResourcesInfo())
    if (opened !== undefined) throw new Error(openedInRegister(opened))
    return answer
  } finally {
    for (const [name, original] of originals) set(name, original)
  }
}

function newlyOpened(before: readonly string[], after: readonly string[]): string | undefined {
  const known = [...before]
  return after.find((kind) => {
    const index = known.indexOf(kind)
    if (index === -1) return true
    known.splice(index, 1)
    return false
  })
}

function refusedInRegister(name: string): () => never {
  return function refused() {
    throw new Error(actedInRegister(name))
  }
}

/** What a name of Node's is missing for, where that is why plugin code failed. */
export function explained(thrown: unknown): unknown {
  if (!(thrown instanceof ReferenceError)) return thrown
  const name = /^(process|Buffer|require|module|global|setImmediate|clearImmediate|__dirname|__filename)\b/.exec(thrown.message)?.[1]
  if (name !== undefined) thrown.message = `\`${name}\` is Node's own and does not exist behind the wall: use the web's API or the context`
  return thrown
}
