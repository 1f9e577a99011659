/**
 * What a contribution must be to be held by a generation: found again by its name, and whole. Asked of every plugin's, from
 * this process or from behind the wall; what it says goes to the plugin's author.
 */
import {
  ASKING_HOOKS,
  EFFECTS,
  HEARING_HOOKS,
  SCOPES,
  type AskingHooks,
  type Channel,
  type Context,
  type HearingHooks,
  type Method,
  type Route,
  type TapOptions,
  type Tool,
} from '@isopod/plugin-api'
import { TAP_DEADLINE_MAX_MS, TAP_DEADLINE_MS } from './limits.ts'

export type Kind = 'methods' | 'routes' | 'dialects' | 'tools' | 'models' | 'channels'

const SHAPES = {
  methods: { field: 'name', pattern: /^[a-z][a-zA-Z0-9]*\.[a-z][a-zA-Z0-9]*$/, like: '`noun.verb`', functions: ['handle'] },
  tools: { field: 'name', pattern: /^[a-z0-9_]{1,64}$/, like: '1 to 64 of a-z, 0-9 and _', functions: ['handle'] },
  dialects: { field: 'name', pattern: /^[a-z][a-z0-9-]*$/, like: 'lower case', functions: ['greet', 'decode', 'encode'] },
  models: { field: 'name', pattern: /^[a-z][a-z0-9-]*$/, like: 'lower case', functions: ['stream'] },
  channels: { field: 'name', pattern: /^[a-z][a-z0-9-]{0,63}$/, like: 'lower case', functions: ['send', 'status'] },
  routes: {
    field: 'path',
    pattern: /^(?:\/(?:[^/{}?#\s]*|\{[a-zA-Z]+\}))*\/(?:[^/{}?#\s]*|\{[a-zA-Z]+\+?\})$/,
    like: 'a path such as /v1/things/{id}, whose last segment may be {rest+}',
    functions: [],
  },
} as const

const VERBS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const AUTHS = ['token', 'public', 'own'] as const
const BODIES = ['json', 'text'] as const

/**
 * The item itself, frozen.
 * @throws Error a sentence that names it and what is wrong.
 */
export function admitted<Item extends object>(kind: Kind, item: Item): Item {
  const { field, pattern, like, functions } = SHAPES[kind]
  const fields = item as Record<string, unknown>
  const name = fields[field]
  if (typeof name !== 'string' || !pattern.test(name)) throw new Error(`${kind}: ${field} ${JSON.stringify(name)} is not ${like}`)
  for (const one of functions) if (typeof fields[one] !== 'function') throw new Error(`${kind}: ${name} has no \`${one}\``)
  const wrong = complaint(kind, item)
  if (wrong !== undefined) throw new Error(`${kind}: ${name} ${wrong}`)
  return Object.freeze(item)
}

function complaint(kind: Kind, item: object): string | undefined {
  if (kind === 'methods') return methodComplaint(item as Method)
  if (kind === 'routes') return routeComplaint(item as Route)
  if (kind === 'tools') return toolComplaint(item as Tool)
  if (kind === 'channels') return typeof (item as Channel).title === 'string' ? undefined : 'has no `title`'
  return undefined
}

function methodComplaint({ scope, streams, internal, deadlineMs }: Method): string | undefined {
  if (!['public', ...SCOPES].includes(scope)) return `has the scope ${JSON.stringify(scope)}; it must be one of public, ${SCOPES.join(', ')}`
  if (streams && !internal) return 'streams, and only an internal method may'
  if (deadlineMs !== undefined && !(deadlineMs >= 0)) return `has the deadline ${deadlineMs}; it must be a number of milliseconds, or 0 for none`
  return undefined
}

function routeComplaint({ verb, call, auth, body, mount, maxBody, decode }: Route): string | undefined {
  if (!VERBS.includes(verb)) return `has the verb ${JSON.stringify(verb)}; it must be one of ${VERBS.join(', ')}`
  if (typeof call !== 'string') return 'does not say which method it calls'
  if (call === '*' && !decode) return 'calls any method, and has no `decode` to name one'
  if (![undefined, ...AUTHS].includes(auth)) return `has the auth ${JSON.stringify(auth)}; it must be one of ${AUTHS.join(', ')}`
  if (![undefined, ...BODIES].includes(body)) return `has the body ${JSON.stringify(body)}; it must be one of ${BODIES.join(', ')}`
  const misnamed = Object.entries({ mount, maxBody }).find(([, field]) => field !== undefined && typeof field !== 'string')
  return misnamed && `has a \`${misnamed[0]}\` that names no field of the config`
}

function toolComplaint({ effects }: Tool): string | undefined {
  const known: readonly string[] = EFFECTS
  const fits = Array.isArray(effects) && effects.every((one) => known.includes(one))
  return fits ? undefined : `has the effects ${JSON.stringify(effects)}; they must be a list of ${EFFECTS.join(', ')}`
}

/** A tap of a hook that asks or tells. */
export interface RecordedTap {
  readonly hook: keyof AskingHooks | keyof HearingHooks
  /** `<plugin id>/<name>`. */
  readonly name: string
  readonly before?: string
  readonly deadlineMs: number
  run(subject: never, ctx: Context): unknown
}

/**
 * A tap as a generation replays it.
 * @throws Error a sentence that names it and what is wrong.
 */
export function admittedTap(pluginId: string, hook: string, options: string | TapOptions, run: unknown): RecordedTap {
  const { name, before, deadlineMs = TAP_DEADLINE_MS } = typeof options === 'string' ? { name: options } : options
  if (!(hook in ASKING_HOOKS) && !(hook in HEARING_HOOKS)) throw new Error(`there is no hook ${hook}`)
  if (typeof name !== 'string' || name === '') throw new Error(`a tap of ${hook} has no name`)
  if (typeof run !== 'function') throw new Error(`the tap \`${name}\` of ${hook} brings no function`)
  if (!(deadlineMs > 0)) throw new Error(`the tap \`${name}\` of ${hook} has the deadline ${deadlineMs}; it must be a number of milliseconds`)
  return Object.freeze({
    hook: hook as RecordedTap['hook'],
    name: `${pluginId}/${name}`,
    ...(before !== undefined && { before }),
    deadlineMs: Math.min(deadlineMs, TAP_DEADLINE_MAX_MS),
    run: run as RecordedTap['run'],
  })
}
