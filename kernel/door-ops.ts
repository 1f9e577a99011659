/**
 * What a walled plugin may ask of its context, by name: an allow-list, each row of which looks at its arguments before it
 * carries them out on the context the entry was made with. Whatever happens, the child is answered and never thrown at.
 */
import {
  ASKING_HOOKS,
  HEARING_HOOKS,
  isObject,
  isRpcError,
  refusalOf,
  RpcError,
  type CallOptions,
  type Context,
  type HostAnswer,
  type Json,
  type JsonObject,
  type Log,
  type Origin,
  type SpawnOptions,
  type StartContext,
  type Write,
} from '@isopod/plugin-api'

type AnyContext = Context | StartContext

/** What an op is carried out with. */
interface Asked {
  readonly ctx: AnyContext
  readonly args: Args
  readonly signal: AbortSignal
}

const VALUES: Readonly<Record<string, (asked: Asked) => unknown>> = {
  'call': ({ ctx, args, signal }) => ctx.call(args.text(0), args.object(1), args.options(2, signal)),
  'spawn': ({ ctx, args }) => ctx.spawn(args.text(0), args.object(1), args.object(2), args.spawning(3)),
  'emit': ({ ctx, args }) => ctx.emit(args.text(0), args.object(1), args.join(2)),
  'log': ({ ctx, args }) => ctx.log[args.oneOf(0, LEVELS)](args.text(1), args.object(2)),
  'store.get': ({ ctx, args }) => ctx.store.get(args.text(0), args.text(1)),
  'store.list': ({ ctx, args }) => ctx.store.list(args.text(0), args.object(1)),
  'store.read': ({ ctx, args }) => ctx.store.read(args.text(0), args.object(1)),
  // The store looks at every write itself, whoever asks.
  'store.write': ({ ctx, args }) => ctx.store.write(args.objects(0) as unknown as readonly Write[]),
  'runs.open': ({ ctx, args }) => whole(ctx).runs.open(args.object(0)),
  'runs.abort': ({ ctx, args }) => whole(ctx).runs.abort(args.text(0)),
  'runs.state': ({ ctx, args }) => whole(ctx).runs.state(args.text(0)),
  'runs.follow': ({ ctx, args }) => whole(ctx).runs.follow(args.text(0), args.count(1)),
  'ask': ({ ctx, args }) => whole(ctx).ask(args.oneOf(0, ASKING), args.object(1) as never),
  'tell': ({ ctx, args }) => whole(ctx).tell(args.oneOf(0, HEARING), args.object(1) as never),
  'catalog': ({ ctx, args }) => ctx.catalog(args.oneOf(0, ['tools', 'models', 'channels'])),
  'useTool': ({ ctx, args, signal }) => ctx.useTool(args.text(0), args.object(1), args.options(2, signal)),
  // What is sent is looked at by the channel's own plugin, as any argument.
  'sendThrough': ({ ctx, args, signal }) => ctx.sendThrough(args.text(0), args.object(1) as never, args.options(2, signal)),
  'channelReport': ({ ctx, args, signal }) => ctx.channelReport(args.text(0), args.options(1, signal)),
  'gateway': ({ ctx }) => ctx.gateway(),
  'reveal': () => {
    throw new RpcError('forbidden', 'Secrets do not cross the wall')
  },
}

const STREAMS: Readonly<Record<string, (asked: Asked) => AsyncIterable<Json>>> = {
  'stream': ({ ctx, args, signal }) => ctx.stream(args.text(0), args.object(1), args.options(2, signal)),
  'useModel': ({ ctx, args, signal }) => ctx.useModel(args.text(0), args.object(1), args.options(2, signal)),
}

/** Nobody waits for the answer of these, so a refusal of theirs goes to the log. */
const ONE_WAY: ReadonlySet<string> = new Set(['emit', 'log', 'tell'])
const LEVELS: readonly (keyof Log)[] = ['debug', 'info', 'warn', 'error']
const ORIGINS: readonly Origin[] = ['owner', 'agent', 'stranger', 'automation']
const ASKING = Object.keys(ASKING_HOOKS) as (keyof typeof ASKING_HOOKS)[]
const HEARING = Object.keys(HEARING_HOOKS) as (keyof typeof HEARING_HOOKS)[]

/**
 * Carries an op out. It is begun before this returns, so that ops follow each other as they were asked. Never rejects:
 * answers a refusal.
 */
export async function carryOut(ctx: AnyContext, op: string, args: readonly Json[], signal: AbortSignal): Promise<HostAnswer> {
  try {
    const asked = { ctx, args: new Args(op, args), signal }
    if (Object.hasOwn(STREAMS, op)) return { ok: true, stream: STREAMS[op]!(asked) }
    if (!Object.hasOwn(VALUES, op)) throw new RpcError('method_not_found', `A context has no ${op.slice(0, 64)}`)
    // The kernel's own context answers JSON.
    return { ok: true, value: (await VALUES[op]!(asked)) as Json | undefined }
  } catch (thrown) {
    if (!isRpcError(thrown)) ctx.log.error(`ctx.${op} failed`, { err: thrown })
    else if (ONE_WAY.has(op)) ctx.log.error(`ctx.${op} was refused: ${thrown.message}`)
    return { ok: false, refusal: isRpcError(thrown) ? refusalOf(thrown) : { code: 'internal', message: 'Internal error' } }
  }
}

/** The context of a call. The one of `start` has no call to make a run of, and rings nothing. */
function whole(ctx: AnyContext): Context {
  if ('runs' in ctx) return ctx
  throw new RpcError('forbidden', 'The context of `start` has no runs and rings no hooks')
}

/** The arguments of an op, each looked at when it is asked for. */
class Args {
  readonly #op: string
  readonly #args: readonly Json[]

  constructor(op: string, args: readonly Json[]) {
    this.#op = op
    this.#args = args
  }

  text(index: number): string {
    const value = this.#args[index]
    return typeof value === 'string' ? value : this.#wrong(index, 'text')
  }

  count(index: number): number {
    const value = this.#args[index]
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : this.#wrong(index, 'a number from 0')
  }

  object(index: number): JsonObject {
    const value = this.#args[index]
    return isObject(value) ? value : this.#wrong(index, 'an object')
  }

  objects(index: number): readonly JsonObject[] {
    const value = this.#args[index]
    return Array.isArray(value) && value.every(isObject) ? value : this.#wrong(index, 'a list of objects')
  }

  oneOf<Name extends string>(index: number, names: readonly Name[]): Name {
    const found = names.find((name) => name === this.#args[index])
    return found ?? this.#wrong(index, `one of ${names.join(', ')}`)
  }

  /** How an inner call is made; the child's own signal has come as a message, and is `signal` here. */
  options(index: number, signal: AbortSignal): CallOptions {
    const { outliving, latest } = this.object(index)
    return { signal, ...this.behalf(index), ...(outliving === true && { outliving }), ...(latest === true && { latest }) }
  }

  spawning(index: number): SpawnOptions {
    const { afterwards, once, deadlineMs } = this.object(index)
    if (afterwards !== undefined && typeof afterwards !== 'string') return this.#wrong(index, 'the name of a method in `afterwards`')
    if (deadlineMs !== undefined && !(typeof deadlineMs === 'number' && deadlineMs >= 0)) return this.#wrong(index, 'milliseconds in `deadlineMs`')
    if (once !== undefined && typeof once !== 'string') return this.#wrong(index, 'the name of an event in `once`')
    return { ...this.behalf(index), ...(once !== undefined && { once }), ...(afterwards !== undefined && { afterwards }), ...(deadlineMs !== undefined && { deadlineMs }) }
  }

  /** For whom it is made. */
  behalf(index: number): Pick<CallOptions, 'origin' | 'as'> {
    const { origin, as } = this.object(index)
    const known = ORIGINS.find((one) => one === origin)
    const lower = origin === undefined ? undefined : known ?? this.#wrong(index, `an origin, one of ${ORIGINS.join(', ')}`)
    if (as !== undefined && as !== 'self') return this.#wrong(index, '`self` in `as`')
    return { ...(lower !== undefined && { origin: lower }), ...(as === 'self' && { as }) }
  }

  join(index: number): { readonly join?: string } {
    const { join } = this.object(index)
    if (join === undefined) return {}
    return typeof join === 'string' ? { join } : this.#wrong(index, 'text in `join`')
  }

  #wrong(index: number, wanted: string): never {
    throw new RpcError('invalid_request', `ctx.${this.#op} takes ${wanted} as its argument ${index + 1}`)
  }
}
