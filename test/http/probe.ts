/** A plugin for the tests of the network side: methods that echo, refuse, fail, wait and tell, and rows that call them. */
import { definePlugin, RpcError, REFUSALS, type Json, type JsonObject, type Route, type RouteHappening } from '@isopod/plugin-api'
import type { TestPlugin } from '@isopod/testing'

/** What the calls of one test met. */
export class Probe {
  /** Why each call that waited was cancelled. */
  readonly cancelled: string[] = []
  /** How many calls have reached `probe.wait`. */
  waiting = 0
  /** The run that was opened last. */
  #runId = ''
  #changed: (() => void)[] = []
  #release = Promise.withResolvers<void>()

  get plugin(): TestPlugin {
    return { id: 'probe', plugin: definePlugin((gateway) => {
      gateway.hooks.methods.tap('probe', (methods) => {
        methods.add({ name: 'probe.echo', scope: 'read', handle: (params) => params })
        methods.add({ name: 'probe.open', scope: 'public', handle: (params) => params })
        methods.add({ name: 'probe.admin', scope: 'admin', handle: () => ({ ok: true }) })
        methods.add({
          name: 'probe.typed',
          scope: 'read',
          params: TYPED,
          handle: (params) => params,
        })
        methods.add({
          name: 'probe.refuse',
          scope: 'read',
          params: { type: 'object', required: ['code'], properties: { code: { enum: REFUSALS }, after: { type: 'number' } } },
          handle: ({ code, after }) => {
            throw new RpcError(code, `Refused as ${code}`, { param: 'code', ...(after !== undefined && { retryAfterSeconds: after }) })
          },
        })
        methods.add({ name: 'probe.fail', scope: 'read', handle: () => { throw new Error('a secret path: /etc/hostname') } })
        methods.add({ name: 'probe.wait', scope: 'read', deadlineMs: 0, handle: (_params, ctx) => this.#wait(ctx.signal) })
        methods.add({
          name: 'probe.run',
          scope: 'read',
          handle: async (params, ctx) => {
            const runId = await ctx.runs.open({})
            this.#runId = runId
            const { texts = [], hold = false } = params as { texts?: string[]; hold?: boolean }
            for (const text of texts) ctx.emit('probe.delta', { runId, text }, { join: 'text' })
            if (hold) await this.#wait(ctx.signal)
            ctx.emit('probe.done', { runId })
            return { runId, texts: texts.length }
          },
        })
        methods.add({ name: 'probe.abort', scope: 'admin', handle: async (_params, ctx) => ({ aborted: await ctx.runs.abort(this.#runId) }) })
        methods.add({ name: 'probe.tell', scope: 'read', handle: (params, ctx) => { ctx.emit('probe.told', params); return {} } })
        methods.add({ name: 'probe.large', scope: 'read', handle: (params) => ({ text: 'x'.repeat((params as unknown as { length: number }).length) }) })
      })
      gateway.hooks.routes.tap('probe', (routes) => {
        for (const route of ROUTES) routes.add(route)
      })
    }) }
  }

  /** Lets every call that waits, and every one to come, end well. */
  release(): void {
    this.#release.resolve()
  }

  /** Resolves once what is asked holds; asked again after each change here. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#changed.push(resolve))
  }

  async #wait(signal: AbortSignal): Promise<JsonObject> {
    this.waiting += 1
    this.#wake()
    const aborted = new Promise<never>((_resolve, reject) => {
      const stop = () => reject(signal.reason as Error)
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
    try {
      await Promise.race([this.#release.promise, aborted])
      return { waited: true }
    } catch (thrown) {
      this.cancelled.push((thrown as RpcError).message)
      this.#wake()
      throw thrown
    }
  }

  #wake(): void {
    for (const wake of this.#changed.splice(0)) wake()
  }
}

const TYPED = {
  type: 'object',
  additionalProperties: false,
  properties: {
    id: { type: 'string' },
    limit: { type: 'integer', minimum: 1 },
    ratio: { type: 'number' },
    full: { type: 'boolean' },
    size: { enum: [1, 2] },
    mixed: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    free: { type: ['string', 'integer'] },
    page: { type: 'integer' },
  },
} as const

const refuse = (path: string): Route => ({ verb: 'POST', path, call: 'probe.refuse' })

const ROUTES: readonly Route[] = [
  { verb: 'POST', path: '/probe/echo', call: 'probe.echo' },
  { verb: 'GET', path: '/probe/echo', call: 'probe.echo' },
  { verb: 'PUT', path: '/v1/sessions/echo', call: 'probe.echo' },
  { verb: 'POST', path: '/probe/open', call: 'probe.open', auth: 'public' },
  { verb: 'GET', path: '/probe/open', call: 'probe.open', auth: 'public' },
  { verb: 'GET', path: '/probe/admin', call: 'probe.admin' },
  { verb: 'GET', path: '/probe/typed', call: 'probe.typed' },
  { verb: 'GET', path: '/probe/typed/{page}', call: 'probe.typed' },
  { verb: 'GET', path: '/probe/items/{id}', call: 'probe.echo' },
  { verb: 'GET', path: '/probe/items/list', call: 'probe.admin' },
  { verb: 'GET', path: '/probe/files/{path+}', call: 'probe.echo' },
  { verb: 'GET', path: '/probe/files/{name}', call: 'probe.typed' },
  { verb: 'POST', path: '/probe/fail', call: 'probe.fail' },
  { verb: 'POST', path: '/probe/wait', call: 'probe.wait' },
  { verb: 'POST', path: '/probe/run', call: 'probe.run' },
  { verb: 'POST', path: '/probe/late', call: 'probe.wait', decode: async () => ({ params: {} }) },
  { verb: 'POST', path: '/probe/stuck/decode', call: 'probe.echo', decode: () => new Promise(() => {}) },
  { verb: 'POST', path: '/probe/stuck/encode', call: 'probe.echo', encode: () => new Promise(() => {}) },
  stream('/probe/stuck/stream', () => new Promise(() => {})),
  stream('/probe/stream/slow', async (what, state) => {
    // The later of two would overtake the earlier if both were asked at once.
    const before = Number(state ?? 0)
    for (let turn = 0; turn < 10 - 3 * before; turn++) await Promise.resolve()
    return { state: before + 1, frames: [{ data: `${what.kind === 'event' ? what.event.name : 'end'} ${before + 1}` }] }
  }),
  ...['/probe/refuse', '/v1/agent/refuse', '/api/v1/refuse', '/api/endpoint/refuse'].map(refuse),
  { verb: 'GET', path: '/probe/seen', call: 'probe.echo', decode: ({ query, headers, segments }) => ({ params: { query, headers, segments } }) },
  { verb: 'POST', path: '/probe/broken/decode', call: 'probe.echo', decode: () => { throw new TypeError('broken') } },
  { verb: 'POST', path: '/probe/broken/encode', call: 'probe.echo', encode: () => { throw new TypeError('broken') } },
  { verb: 'POST', path: '/probe/teapot', call: 'probe.echo', encode: () => ({ status: 202, headers: { 'x-probe': 'yes' }, body: { spelled: true } }) },
  stream('/probe/stream', (what) => (what.kind === 'event' ? { frames: [{ event: what.event.name, id: String(what.event.seq), data: what.event.data }] } : { frames: [{ data: '[DONE]' }] })),
  stream('/probe/stream/mute', (what) => (what.kind === 'event' ? undefined : { frames: [] })),
  stream('/probe/stream/plain', () => undefined),
  stream('/probe/stream/broken', (what) => { if (what.kind === 'outcome') throw new TypeError('broken'); return { frames: [{ data: 'one' }] } }),
  stream('/probe/stream/broken/at-once', () => { throw new TypeError('broken') }),
  stream('/probe/stream/lines', () => ({ frames: [{ event: 'a\nb', data: 'one\r\ntwo\rthree\nfour' }] })),
  stream('/probe/stream/failing', (what) => ({ frames: [{ data: what.kind === 'event' ? what.event.name : failureOf(what) }] })),
]

function stream(path: string, encode: NonNullable<Route['encode']>): Route {
  return { verb: 'POST', path, call: 'probe.run', decode: ({ body }) => ({ params: (body ?? {}) as JsonObject, stream: true }), encode }
}

function failureOf(what: Extract<RouteHappening, { kind: 'outcome' }>): Json {
  return what.outcome.ok ? 'well' : what.outcome.refusal.code
}
