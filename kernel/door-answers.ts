/**
 * What a walled plugin may answer to the kernel itself: the spelling of routes and dialects, the answers of taps and channels. A
 * plugin in this process has its types checked by its author's compiler; across the wall only a schema tells.
 */
import {
  CHANNEL_STATES,
  REFUSALS,
  RpcError,
  type ChannelReport,
  type Decoded,
  type Encoded,
  type Json,
  type RouteDecoded,
  type RouteEncoded,
  type Schema,
  type SentMessage,
  type TapAnswer,
} from '@isopod/plugin-api'
import { check } from './validators.ts'

/** What each kind of function answers. */
export interface Answers {
  'tap': TapAnswer<object>
  'route.decode': RouteDecoded
  'route.encode': RouteEncoded | undefined
  'dialect.greet': Encoded
  'dialect.decode': Decoded
  'dialect.encode': Encoded
  'channel.send': SentMessage
  'channel.status': ChannelReport
}

const TEXT = { type: 'string' } as const
const OBJECT = { type: 'object' } as const

const REFUSAL = {
  type: 'object',
  required: ['code', 'message'],
  properties: {
    code: { enum: REFUSALS },
    message: TEXT,
    param: TEXT,
    retryable: { type: 'boolean' },
    retryAfterSeconds: { type: 'number' },
    details: true,
  },
  additionalProperties: false,
} as const

const ENCODED = {
  type: 'object',
  required: ['state', 'frames'],
  properties: { state: true, frames: { type: 'array', items: OBJECT } },
} as const

const WISH = {
  type: 'object',
  required: ['do'],
  properties: { do: TEXT },
  oneOf: [
    { properties: { do: { const: 'call' }, id: true, method: TEXT, params: OBJECT }, required: ['id', 'method', 'params'] },
    { properties: { do: { const: 'auth' }, id: true, token: TEXT, password: TEXT }, required: ['id'] },
    { properties: { do: { const: 'refuse' }, id: true, refusal: REFUSAL, final: { type: 'boolean' } }, required: ['id', 'refusal'] },
    { properties: { do: { const: 'nothing' } } },
  ],
} as const

const STREAM_FRAME = { type: 'object', required: ['data'], properties: { event: TEXT, id: TEXT, data: true } } as const

const SCHEMAS: { readonly [Kind in keyof Answers]: Schema } = {
  'tap': {
    type: 'object',
    oneOf: [
      { required: ['refuse'], properties: { refuse: TEXT }, additionalProperties: false },
      { required: ['change'], properties: { change: OBJECT }, additionalProperties: false },
    ],
  },
  'route.decode': {
    type: 'object',
    oneOf: [
      {
        required: ['params'],
        // No `method`: what calls any method is trusted, and so never here.
        properties: { params: OBJECT, state: true, stream: { type: 'boolean' }, patienceMs: { type: 'number', minimum: 0 } },
        additionalProperties: false,
      },
      { required: ['refuse'], properties: { refuse: REFUSAL }, additionalProperties: false },
    ],
  },
  'route.encode': {
    type: 'object',
    properties: {
      state: true,
      frames: { type: 'array', items: STREAM_FRAME },
      status: { type: 'integer', minimum: 200, maximum: 599 },
      headers: { type: 'object', additionalProperties: TEXT },
      body: true,
    },
    additionalProperties: false,
  },
  'dialect.greet': ENCODED,
  'dialect.decode': { type: 'object', required: ['state', 'wish'], properties: { state: true, wish: WISH } },
  'dialect.encode': ENCODED,
  'channel.send': { type: 'object', required: ['ids'], properties: { ids: { type: 'array', items: TEXT } }, additionalProperties: false },
  'channel.status': { type: 'object', required: ['status'], properties: { status: { enum: CHANNEL_STATES.filter((state) => state !== 'disabled') } } },
}

/** Where nothing at all is an answer too. */
const MAY_BE_NOTHING: ReadonlySet<keyof Answers> = new Set(['tap', 'route.encode'] as const)

/**
 * The answer, once it has been looked at.
 * @param where Whose it is, as the message begins.
 * @throws RpcError `internal` where it is not what that kind of function answers.
 */
export function believed<Kind extends keyof Answers>(kind: Kind, answer: Json | undefined, where: string): Answers[Kind] {
  // The schema of the kind has let the answer through, or it is nothing where nothing will do.
  if ((answer === undefined || answer === null) && MAY_BE_NOTHING.has(kind)) return undefined as Answers[Kind]
  const misfit = check(SCHEMAS[kind], answer ?? null)
  if (misfit) throw new RpcError('internal', `${where} answered what it may not: ${misfit.message}`)
  return answer as unknown as Answers[Kind]
}
