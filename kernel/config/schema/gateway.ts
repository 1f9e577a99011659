/** The section `gateway`: where it listens, who may come in, and how often. */
import { DEFAULT_LIMITS } from '../../limits.ts'
import { limit, secretText } from './words.ts'

const limits = {
  type: 'object',
  description: 'What one client may ask for. 0 means no limit.',
  default: {},
  additionalProperties: false,
  required: [
    'bodyBytes', 'timeoutSeconds', 'connections', 'requestsPerMinute', 'callsPerMinute', 'authFailures', 'authWindowSeconds',
  ],
  properties: {
    bodyBytes: { ...limit, default: DEFAULT_LIMITS.bodyBytes, description: 'The largest request body, in bytes.' },
    timeoutSeconds: { ...limit, default: DEFAULT_LIMITS.timeoutSeconds, description: 'How long a request may take.' },
    connections: { ...limit, default: DEFAULT_LIMITS.connections, description: 'Open WebSockets per credential.' },
    requestsPerMinute: { ...limit, default: DEFAULT_LIMITS.requestsPerMinute, description: 'HTTP requests and upgrades per credential.' },
    callsPerMinute: { ...limit, default: DEFAULT_LIMITS.callsPerMinute, description: 'Calls on open sockets per credential.' },
    authFailures: { ...limit, default: DEFAULT_LIMITS.authFailures, description: 'Failed authentications per client and window.' },
    authWindowSeconds: { ...limit, default: DEFAULT_LIMITS.authWindowSeconds, description: 'The window of authFailures.' },
  },
} as const

const auth = {
  type: 'object',
  description: 'Who may come in. Without a token or password here, a token is made at the first start.',
  default: {},
  additionalProperties: false,
  required: ['enabled'],
  properties: {
    enabled: { type: 'boolean', default: true, description: 'Off only works on loopback.' },
    token: { ...secretText, description: 'The token every client shows.' },
    password: { ...secretText, description: 'A password, accepted beside the token.' },
    query: { type: 'boolean', description: 'Whether ?token= and ?password= are accepted. Unless said: on loopback only.' },
  },
} as const

const pages = {
  type: 'array',
  items: { type: 'string', pattern: '^[a-z][a-z0-9+.-]*://[^\\s/?#@*]+$', accepts: 'an origin, like https://page.example' },
  default: [],
} as const

export const gateway = {
  type: 'object',
  description: 'Where the gateway listens and who may come in.',
  default: {},
  additionalProperties: false,
  required: ['port', 'bind', 'hosts', 'origins', 'cors', 'auth', 'limits', 'transport', 'dialects'],
  properties: {
    port: { type: 'integer', minimum: 0, maximum: 65_535, default: 18_789, description: 'The port; 0 takes a free one.' },
    bind: {
      type: 'string',
      format: 'bind',
      default: 'loopback',
      accepts: 'loopback, all or an IP address',
      description: 'loopback (127.0.0.1 and ::1), all, or one address.',
    },
    hosts: {
      type: 'array',
      items: { type: 'string', pattern: '^[^\\s/:@]+$|^\\[[0-9A-Fa-f:.]+\\]$', accepts: 'a host name without scheme, port or path' },
      default: [],
      description: 'Further names the gateway is reached by, checked against Host.',
    },
    origins: { ...pages, description: 'Pages of other origins that may call the gateway, checked against Origin.' },
    cors: {
      type: 'object',
      description: 'Pages of other origins that may also read its answers over HTTP, by the headers browsers ask for (CORS).',
      default: {},
      additionalProperties: false,
      required: ['origins'],
      properties: { origins: { ...pages, description: 'Exact origins; none unless said. Each also counts as one of gateway.origins.' } },
    },
    auth,
    limits,
    transport: { enum: ['auto', 'uws', 'ws'], default: 'auto', description: 'uWebSockets.js, or node:http with ws.' },
    tls: {
      type: 'object',
      description: 'A certificate and its key: the port then speaks TLS only.',
      additionalProperties: false,
      required: ['cert', 'key'],
      properties: {
        cert: { type: 'string', minLength: 1, description: 'The certificate chain, a PEM file.' },
        key: { type: 'string', minLength: 1, description: 'Its private key, a PEM file.' },
      },
    },
    dialects: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: ['rpc'],
      description: 'The order in which dialects are asked whose first frame it is. Those not named come after. The first one answers what nobody knows.',
    },
  },
} as const
