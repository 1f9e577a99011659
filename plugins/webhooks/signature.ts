/**
 * Signatures over a webhook's bytes, by the sender's scheme: whoever posts proves that they know a shared secret without sending
 * it. Schemes that sign a time are held to it, so that an old delivery cannot be played again.
 */
import { createHmac } from 'node:crypto'
import { RpcError, type Context, type Json } from '@isopod/plugin-api'
import { same } from './credential.ts'

type Headers = Readonly<Record<string, string>>

/** A mapping's `signature`. Header, prefix, algorithm and encoding are for `hmac`; the other schemes bring their own. */
export interface Signature {
  readonly scheme?: 'github' | 'stripe' | 'slack' | 'standard' | 'hmac'
  /** A reference to the secret. */
  readonly secret: Json
  readonly header?: string
  readonly prefix?: string
  readonly algorithm?: 'sha256' | 'sha1' | 'sha512'
  readonly encoding?: 'hex' | 'base64'
  readonly toleranceSeconds?: number
}

/** What a scheme makes of a request: the signatures it shows, the one it should show, and when it was made. */
interface Proof {
  readonly shown: readonly string[]
  readonly expected: string
  /** In seconds since 1970, where the scheme signs it. */
  readonly at?: number
}

/** Five minutes: what Stripe, Slack and Standard Webhooks recommend. */
const TOLERANCE_SECONDS = 300

interface Signed {
  readonly headers: Headers
  readonly body: string
  readonly secret: string
  readonly signature: Signature
}

const SCHEMES: Readonly<Record<NonNullable<Signature['scheme']>, (signed: Signed) => Proof>> = {
  /** https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
  github: ({ headers, body, secret }) => ({ shown: given(headers['x-hub-signature-256']), expected: `sha256=${mac(secret, body)}` }),
  /** https://docs.stripe.com/webhooks/signature: `t=...,v1=...`, over `<t>.<body>`. */
  stripe({ headers, body, secret }) {
    const pairs = (headers['stripe-signature'] ?? '').split(',').map((pair) => pair.trim().split('='))
    const values = (name: string) => pairs.flatMap(([key, value]) => (key === name && value !== undefined ? [value] : []))
    const [time = ''] = values('t')
    return { shown: values('v1'), expected: mac(secret, `${time}.${body}`), at: Number(time) }
  },
  /** https://docs.slack.dev/authentication/verifying-requests-from-slack */
  slack({ headers, body, secret }) {
    const time = headers['x-slack-request-timestamp'] ?? ''
    return { shown: given(headers['x-slack-signature']), expected: `v0=${mac(secret, `v0:${time}:${body}`)}`, at: Number(time) }
  },
  /**
   * https://www.standardwebhooks.com: `v1,<base64>` among others, over
   * `<id>.<time>.<body>`; the key is base64 after `whsec_`.
   */
  standard({ headers, body, secret }) {
    const time = headers['webhook-timestamp'] ?? ''
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    const expected = `v1,${createHmac('sha256', key).update(`${headers['webhook-id'] ?? ''}.${time}.${body}`).digest('base64')}`
    return { shown: (headers['webhook-signature'] ?? '').split(' '), expected, at: Number(time) }
  },
  /** Anybody else's: a digest of the body in a header. */
  hmac({ headers, body, secret, signature: { header = 'x-signature', prefix = '', algorithm = 'sha256', encoding = 'hex' } }) {
    const expected = `${prefix}${createHmac(algorithm, secret).update(body).digest(encoding)}`
    return { shown: given(headers[header.toLowerCase()]), expected }
  },
}

/**
 * Answers what makes the delivery the same as an earlier one, where the scheme says so. Of those that sign a time it is signed
 * itself, so nobody can play a delivery again under another name; a sender's own repetition is signed anew.
 * @throws RpcError `unauthorized` where the request shows no signature, a wrong one, or one that is too old.
 */
export async function checkSignature(signature: Signature, headers: Headers, body: string, ctx: Context): Promise<string | undefined> {
  const secret = await ctx.reveal(signature.secret)
  const { scheme = 'github' } = signature
  const { shown, expected, at } = SCHEMES[scheme]({ headers, body, secret, signature })
  const fits = shown.map((one) => same(one, expected)).includes(true)
  if (!fits) throw new RpcError('unauthorized', 'Unauthorized')
  const seconds = signature.toleranceSeconds ?? TOLERANCE_SECONDS
  if (at !== undefined && !(Math.abs(ctx.now() / 1000 - at) <= seconds)) {
    throw new RpcError('unauthorized', `The signature was made more than ${seconds} s from now`)
  }
  if (scheme === 'github') return headers['x-github-delivery']
  if (scheme === 'standard') return headers['webhook-id']
  return at === undefined ? undefined : expected
}

function mac(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex')
}

function given(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value]
}
