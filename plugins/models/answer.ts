/**
 * One answer of a vendor: the request goes out through a provider package, and what comes back is told in neutral parts. The
 * three vendors differ only in what they bring as `Vendor`. Nothing is tried again here: a refusal says whether that can help,
 * and the agent loop, which knows what was already shown, decides.
 */
import {
  RpcError,
  type Context,
  type FinishReason,
  type Json,
  type JsonObject,
  type ModelPart,
  type ModelRequest,
} from '@isopod/plugin-api'
import { addressOf } from './address.ts'
import { callOptions } from './call-options.ts'
import { Connection } from './connection.ts'
import { credentialsOf } from './credentials.ts'
import type { Environment } from './environment.ts'
import { failure, unfinished, type Circumstances } from './failure.ts'
import type { Finish, Piece } from './piece.ts'
import type { Settings } from './roster.ts'
import type { SdkModel, SdkOptions } from './sdk.ts'
import { bytesOf, usageOf } from './usage.ts'

/**
 * What a provider package needs to make a model. No secret is among it: the connection
 * shows the key, so that a model may be kept longer than a key.
 */
export interface ModelParts {
  /** The provider's id. */
  readonly name: string
  readonly model: string
  readonly baseURL: string
  /** Left out, some packages would look for a key in the environment by themselves. */
  readonly apiKey: ''
  readonly fetch: typeof globalThis.fetch
}

/** What a vendor is. */
export interface Vendor {
  /** Where its API answers unless the settings say otherwise; undefined where they must. */
  readonly address: string | undefined
  /** The header its API wants the key in. */
  readonly keyHeader: (key: string) => readonly [name: string, value: string]
  /** Imports the package, which takes 40 ms, and makes the model. */
  readonly model: (parts: ModelParts) => Promise<SdkModel>
  /** Reads its event stream; left out, the package does. Throws an `Error` for what is none. */
  readonly read?: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Piece>
  /** Changes what its API would not take as it is. */
  readonly adapt?: (options: SdkOptions, request: ModelRequest) => SdkOptions
}

export interface Asked {
  readonly request: ModelRequest
  readonly settings: Settings
}

/** Streams one answer, in order and ending with `finish`. Throws the refusals `ModelPart` promises. */
export async function* answer(vendor: Vendor, environment: Environment, { request, settings }: Asked, ctx: Context): AsyncGenerator<ModelPart> {
  const { id } = settings
  const options = callOptions(request)
  const credentials = await credentialsOf(settings, environment, ctx)
  const connection = new Connection({ id, credentials, keyHeader: vendor.keyHeader, signal: ctx.signal, isReadHere: vendor.read !== undefined })
  const vendorHost = settings.baseUrl === undefined && vendor.address !== undefined ? new URL(vendor.address).host : undefined
  const at: Circumstances = { id, credentials, connection, keySource: keySource(settings), now: ctx.now(), ...(vendorHost && { vendorHost }) }
  try {
    const baseURL = addressOf(settings, vendor.address)
    const model = await vendor.model({ name: id, model: request.model, baseURL, apiKey: '', fetch: Connection.fetch })
    const asked = { ...(vendor.adapt?.(options, request) ?? options), abortSignal: connection.signal }
    yield* told(received({ ...vendor, model, options: asked }, at), request, at)
  } finally {
    connection.close()
  }
}

function keySource({ id, apiKey }: Settings): string {
  // A reference is an object; of which kind, its one property says.
  const variable = (apiKey as JsonObject | undefined)?.['environment']
  return typeof variable === 'string' ? variable : `models.providers.${id}.apiKey`
}

interface Asking {
  readonly model: SdkModel
  readonly options: SdkOptions
  readonly read?: Vendor['read']
}

/** Whatever a package or a reader throws, or a stream says went wrong, is thrown as a refusal; our own bugs are not. */
async function* received(asking: Asking, at: Circumstances): AsyncGenerator<Piece> {
  const refuse = (thrown: unknown): never => {
    throw failure(thrown, at)
  }
  if (at.connection.stopped) throw at.connection.stopped
  const pieces = (await opened(asking, at).catch(refuse))[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await pieces.next().catch(refuse)
      if (done === true) return
      if (value.type === 'error') refuse(value.error)
      // This part is a package's own and says only that the request was accepted.
      if (value.type !== 'stream-start' && value.type !== 'finish') at.connection.understood = true
      yield value
    }
  } finally {
    pieces.return?.().catch(() => {})
  }
}

/** The request goes out through the package, which knows how its vendor spells one. Only the answer may be read here. */
async function opened({ model, options, read }: Asking, { connection }: Circumstances): Promise<AsyncIterable<Piece>> {
  try {
    const { stream } = await model.doStream(options)
    return stream
  } catch (thrown) {
    if (read && connection.isReadHere) return read(connection.chunks())
    throw thrown
  }
}

/** Calls wait for the end of their answer, so what waits has a bound: what a run may say in all. In characters. */
const CALLS_LENGTH = 8 * 1024 * 1024
/** What a call weighs beside its arguments. */
const CALL_LENGTH = 256

type Call = Extract<ModelPart, { readonly type: 'toolCall' }>

/**
 * Calls are held back until the end: one of a stream that is cut may have lost
 * half of its arguments, and must not be carried out.
 */
async function* told(parts: AsyncIterable<Piece>, request: ModelRequest, at: Circumstances): AsyncGenerator<ModelPart> {
  const calls: Call[] = []
  let finish: Finish | undefined
  let said = 0
  let held = 0
  for await (const part of parts) {
    if (part.type === 'text-delta' || part.type === 'reasoning-delta') {
      if (part.delta === '') continue
      said += bytesOf(part.delta)
      yield { type: part.type === 'text-delta' ? 'text' : 'thinking', text: part.delta }
    } else if (part.type === 'tool-input-start' || part.type === 'tool-input-delta') {
      held += part.type === 'tool-input-start' ? CALL_LENGTH : part.delta.length
      if (held > CALLS_LENGTH) {
        throw new RpcError('payload_too_large', `${at.id} called tools with more than ${CALLS_LENGTH} characters and had not ended`)
      }
    } else if (part.type === 'tool-call') {
      said += bytesOf(part.input)
      calls.push({ type: 'toolCall', id: part.toolCallId, name: part.toolName, args: argumentsOf(part.input) })
    } else if (part.type === 'finish') {
      finish = part
    }
  }
  // A package that saw no reason to finish invents one, without the provider's own word for it.
  if (finish?.finishReason.raw === undefined || finish.finishReason.unified === 'error') throw at.connection.stopped ?? unfinished(at)
  const whole = finish.finishReason.unified === 'length' ? calls.filter(({ args }) => typeof args !== 'string') : calls
  yield* whole
  yield { type: 'finish', reason: reasonOf(finish, whole.length > 0), usage: usageOf(finish.usage, request, said) }
}

/** The arguments, or their text as it came where it is no JSON: the tool's schema then refuses it, in words the model is told. */
function argumentsOf(input: string): Json {
  if (input.trim() === '') return {}
  try {
    return JSON.parse(input) as Json
  } catch {
    return input
  }
}

/** Some servers say `stop` although tools were called. */
function reasonOf({ finishReason: { unified } }: Finish, called: boolean): FinishReason {
  if (unified === 'length') return 'length'
  if (unified === 'content-filter') return 'content_filter'
  return called ? 'tool_calls' : 'stop'
}
