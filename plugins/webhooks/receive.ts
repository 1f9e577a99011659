/**
 * `hook.receive`: what came by the row. Who it is comes first, so that a stranger learns of no hook; then what it is for. A hook
 * of the owner's own words (`wake`, `agent`) is an order; what a mapping makes of a payload is not.
 */
import { RpcError, type Context, type JsonObject, type Static, type TypedMethod } from '@isopod/plugin-api'
import { asked } from './agent.ts'
import { checkToken } from './credential.ts'
import { mappingFor, type Mapping } from './mapping.ts'
import { objectOf, payloadOf } from './payload.ts'
import { answeredOnce } from './replays.ts'
import { settingsOf } from './settings.ts'
import { checkSignature } from './signature.ts'
import { rendered } from './template.ts'
import { woken } from './wake.ts'

const TEXTS = { type: 'object', additionalProperties: { type: 'string' } } as const

const PARAMS = {
  type: 'object',
  required: ['name', 'headers', 'query', 'body'],
  additionalProperties: false,
  properties: { name: { type: 'string', maxLength: 256 }, headers: TEXTS, query: TEXTS, body: { type: 'string' } },
} as const

type Received = Static<typeof PARAMS>

/** What a template is not shown: it carries a credential. */
const WITHHELD = ['authorization', 'x-openclaw-token', 'cookie']

export const receive: TypedMethod<typeof PARAMS> = {
  name: 'hook.receive',
  description: 'Takes in a webhook.',
  scope: 'public',
  internal: true,
  params: PARAMS,
  async handle(received, ctx) {
    const { enabled, maxBodyBytes } = settingsOf(ctx)
    if (!enabled) throw new RpcError('not_found', 'There are no hooks here: hooks.enabled is off')
    if (Buffer.byteLength(received.body) > maxBodyBytes) {
      throw new RpcError('payload_too_large', `A hook takes ${maxBodyBytes} bytes at most`)
    }
    const { mapping, delivery } = await admitted(received, ctx)
    // The sender's own name for it comes first: the header is not signed, and whoever plays a delivery again could choose it.
    const key = delivery ?? received.headers['idempotency-key']
    const answer = () => answered(received, mapping, ctx)
    return key === undefined ? answer() : answeredOnce({ hook: received.name, key, body: received.body }, ctx, answer)
  },
}

interface Admitted {
  readonly mapping: Mapping | undefined
  /** What its scheme says makes this delivery the same as an earlier one. */
  readonly delivery?: string | undefined
}

/** Who has shown what its mapping asks for: the signature, or else the token of all hooks. */
async function admitted({ name, headers, body }: Received, ctx: Context): Promise<Admitted> {
  const mapping = isOwn(name) ? undefined : mappingFor(name, sourceIn(body, headers), ctx)
  if (mapping?.signature) return { mapping, delivery: await checkSignature(mapping.signature, headers, body, ctx) }
  await checkToken(headers, ctx)
  return { mapping }
}

function isOwn(name: string): name is 'wake' | 'agent' {
  return name === 'wake' || name === 'agent'
}

/** What a native mapping may match beside the path; a body that is no JSON has none. */
function sourceIn(body: string, headers: Received['headers']): unknown {
  try {
    const payload = payloadOf(body, headers['content-type'])
    return (payload as { source?: unknown } | null)?.source
  } catch {
    return undefined
  }
}

async function answered(received: Received, mapping: Mapping | undefined, ctx: Context): Promise<JsonObject> {
  const { name, body } = received
  if (name === 'wake') return { ...(await ctx.call('hook.wake', objectOf(body), { as: 'self' }) as JsonObject) }
  if (name === 'agent') return { ...(await ctx.call('hook.agent', objectOf(body), { as: 'self' }) as JsonObject) }
  if (!mapping) throw new RpcError('not_found', `There is no hook ${JSON.stringify(name)}`)
  return { ...(await mapped(mapping, received, ctx)) }
}

async function mapped(mapping: Mapping, { headers, query, body }: Received, ctx: Context): Promise<object> {
  if (mapping.text === undefined) {
    throw new RpcError('unavailable', `The mapping ${mapping.label} says nothing: give it a message`)
  }
  const payload = payloadOf(body, headers['content-type'])
  const shown = Object.fromEntries(Object.entries(headers).filter(([name]) => !WITHHELD.includes(name)))
  const subject = { payload, headers: shown, query }
  const fill = (template: string) => rendered(template, subject, `the hook ${mapping.label}`)
  const text = await fill(mapping.text)
  if (text.trim() === '') throw new RpcError('invalid_request', `The payload has nothing of what the hook ${mapping.label} says`)
  const untrusted = `webhook ${mapping.label}`
  if (mapping.kind === 'wake') return woken({ text, mode: mapping.mode }, ctx, untrusted)
  const { label, kind: _, text: _template, mode, signature: _signature, sessionKey, to, ...rest } = mapping
  const key = sessionKey === undefined ? {} : { sessionKey: await fill(sessionKey) }
  const recipient = to === undefined ? {} : { to: await fill(to) }
  return asked({ ...rest, ...key, ...recipient, message: text, wakeMode: mode }, ctx, { hook: label, untrusted, isOwnKey: true })
}
