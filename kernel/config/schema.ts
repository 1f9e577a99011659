/**
 * The whole config file as one JSON Schema: it checks the file, fills in what is absent, types what the kernel reads, says
 * which fields are secret, and prints the docs. A field that has a default is `required` here because the defaults are
 * filled in before the check: an owner may leave out everything. Two words are ours: `secret` marks what is never shown,
 * `accepts` says in words what a pattern says in signs.
 */
import type { Static } from '@isopod/plugin-api'
import { DEFAULT_LIMITS } from '../limits.ts'

/** Ids become parts of model names, file names and log lines. */
const ids = { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', accepts: 'letters, digits, dots, dashes and underscores, 64 at most' } as const

const secretText = { type: 'string', minLength: 1, secret: true, accepts: 'text, or ${NAME}' } as const

/** A secret that may also stand in the secret store. Those of `gateway.auth` may not: they are needed before it opens. */
const secretValue = {
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'object', additionalProperties: false, required: ['secret'], properties: { secret: { type: 'string', minLength: 1 } } },
  ],
  secret: true,
  accepts: 'text, ${NAME}, or { secret: name }',
} as const

const limit = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, accepts: 'a whole number, or 0 for no limit' } as const

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

const gateway = {
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

const models = {
  type: 'object',
  description: 'Language models and who serves them.',
  default: {},
  additionalProperties: false,
  required: ['providers'],
  properties: {
    default: { type: 'string', minLength: 1, description: 'provider/model, for whoever names none.' },
    providers: {
      type: 'object',
      default: {},
      propertyNames: ids,
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: ['api'],
        properties: {
          api: { type: 'string', minLength: 1, description: 'The API it speaks: openai, anthropic, openai-compatible, or one that a plugin brings.' },
          apiKey: { ...secretValue, description: 'Its key.' },
          baseUrl: {
            type: 'string',
            pattern: '^https?://[^\\s]+$',
            accepts: 'an address that begins with http:// or https://',
            description: 'Where it answers. Needed for openai-compatible.',
          },
          headers: { type: 'object', additionalProperties: secretText, description: 'Sent with each request.' },
          models: { type: 'array', items: { type: 'string', minLength: 1 }, description: 'Its models, where it cannot list them.' },
        },
      },
    },
  },
} as const

const names = { type: 'array', items: { type: 'string', minLength: 1 } } as const

const agents = {
  type: 'object',
  description: 'Agents by id. The one named default answers where none is named.',
  default: {},
  propertyNames: ids,
  additionalProperties: {
    type: 'object',
    additionalProperties: false,
    properties: {
      model: { type: 'string', minLength: 1, description: 'provider/model.' },
      fallbacks: { ...names, description: 'Models to try, in order, when the first fails.' },
      system: { type: 'string', description: 'What the agent is told before every conversation.' },
      maxRounds: { type: 'integer', minimum: 1, maximum: 200, description: 'Requests to the model in one run; 20 unless said.' },
      tools: {
        type: 'object',
        description: 'Which tools it may use. deny wins over allow, allow over the profile.',
        additionalProperties: false,
        properties: {
          profile: {
            enum: ['full', 'coding', 'messaging', 'none'],
            description: 'Tools by what they may do: all; all that spend nothing; those that only read or fetch; none.',
          },
          allow: { ...names, description: 'Further tools, by name; * stands for any text.' },
          deny: { ...names, description: 'Tools it never gets.' },
        },
      },
    },
  },
} as const

const budget = {
  type: 'object',
  additionalProperties: false,
  properties: {
    tokens: { type: 'integer', minimum: 0, description: 'Prompt and completion together.' },
    usd: { type: 'number', minimum: 0, description: 'At the prices the provider states.' },
  },
} as const

const budgets = {
  type: 'object',
  description: 'What may be spent before calls are refused.',
  default: {},
  additionalProperties: false,
  properties: { perDay: budget, perRun: budget },
} as const

const plugins = {
  type: 'object',
  description: 'Plugins by id.',
  default: {},
  propertyNames: ids,
  additionalProperties: {
    type: 'object',
    additionalProperties: false,
    required: ['enabled', 'config'],
    properties: {
      enabled: { type: 'boolean', default: true, description: 'Off takes it out of the gateway; its config stays.' },
      version: { type: 'string', minLength: 1, description: 'A semver range.' },
      from: { type: 'string', minLength: 1, description: 'The folder it comes from, relative to the home.' },
      trust: { enum: ['sandboxed', 'full'], description: 'full runs it in the gateway\'s own process, with everything that may do.' },
      config: { type: 'object', default: {}, additionalProperties: true, description: 'As the plugin\'s manifest says.' },
    },
  },
} as const

const mapping = {
  type: 'object',
  additionalProperties: true,
  properties: {
    path: { type: 'string', description: 'The last part of the address, below hooks.path.' },
    messageTemplate: { type: 'string' },
    match: { type: 'object', additionalProperties: true, properties: { path: { type: 'string' }, source: { type: 'string' } } },
    action: {
      anyOf: [
        { enum: ['agent', 'wake'] },
        {
          type: 'object',
          additionalProperties: true,
          properties: {
            kind: { enum: ['agent', 'wake'] },
            message: { type: 'string' },
            channel: { type: 'string' },
            to: { type: 'string' },
          },
        },
      ],
      accepts: 'agent, wake, or { kind, message, channel, to }',
    },
  },
} as const

const hooks = {
  type: 'object',
  description: 'Webhooks that other services call.',
  default: {},
  additionalProperties: false,
  required: ['enabled', 'path', 'maxBodyBytes', 'allowRequestSessionKey', 'mappings'],
  properties: {
    enabled: { type: 'boolean', default: false, description: 'Off answers 404.' },
    token: { ...secretValue, description: 'Their own credential. The gateway\'s is not accepted here.' },
    path: {
      type: 'string',
      pattern: '^/[^\\s?#]*$',
      default: '/hooks',
      accepts: 'a path that begins with /',
      description: 'Where they live.',
    },
    maxBodyBytes: { type: 'integer', minimum: 1, default: 262_144, description: 'The largest body, in bytes.' },
    allowRequestSessionKey: { type: 'boolean', default: false, description: 'Whether a caller may name a session outside hook:.' },
    mappings: { type: 'array', items: mapping, default: [], description: 'Which hook does what.' },
  },
} as const

const log = {
  type: 'object',
  description: 'What is written down, and where.',
  default: {},
  additionalProperties: false,
  required: ['level'],
  properties: {
    level: { enum: ['debug', 'info', 'warn', 'error'], default: 'info', description: 'The least that is written.' },
    file: {
      anyOf: [{ type: 'string', minLength: 1 }, { const: false }],
      accepts: 'a file name, or false for none',
      description: 'Unless said: logs/gateway.log in the home.',
    },
    pretty: { type: 'boolean', description: 'Lines for people instead of JSON. Unless said: on a terminal.' },
  },
} as const

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Isopod gateway.yaml',
  type: 'object',
  additionalProperties: false,
  required: ['gateway', 'models', 'agents', 'budgets', 'plugins', 'hooks', 'log'],
  properties: {
    $schema: { type: 'string', description: 'For editors.' },
    gateway,
    models,
    agents,
    budgets,
    plugins,
    hooks,
    log,
  },
} as const

type Frozen<Value> = Value extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Frozen<Value[Key]> }
    : Value

/** The config as the kernel reads it: checked, resolved, defaults filled in, frozen. */
export type Config = Frozen<Static<typeof configSchema>>
export type PluginConfig = Config['plugins'][string]
