/**
 * The config, shown without its secrets and changed with care: checked before a byte of the owner's file is written, only
 * by who has seen what he changes, and answered when it is in force.
 */
import { basename } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { jsonCopy, RpcError, type Caller, type JsonObject, type MethodRegistry, type Schema } from '@isopod/plugin-api'
import { changedForNextStart } from '../config/next-start.ts'
import type { Schema as ConfigSchema } from '../config/path.ts'
import { hasErrors, type Problem } from '../config/problem.ts'
import { schemaWithPlugins } from '../config/redact.ts'
import { changedTrust } from '../config/trusted-part.ts'
import type { ProposedChange } from '../config/write.ts'
import { wrongConfig } from '../lifecycle/load.ts'
import type { ReadWishes } from '../lifecycle/wanted.ts'
import { mustBeOwner } from './owner.ts'
import type { OwnParts } from './parts.ts'

const SECTION = { type: 'object', additionalProperties: true } as const

const PROBLEMS = {
  type: 'array',
  items: {
    type: 'object',
    required: ['severity', 'message', 'path'],
    properties: { severity: { enum: ['error', 'warning'] }, message: { type: 'string' }, path: { type: 'string' }, line: { type: 'integer' }, column: { type: 'integer' } },
  },
} as const

export function addConfig(methods: MethodRegistry, parts: OwnParts): void {
  methods.add({
    name: 'config.get',
    description: 'The config in force without its secrets, its revision, and what is wrong with the file as it stands.',
    scope: 'read',
    result: {
      type: 'object',
      required: ['config', 'revision', 'file', 'problems'],
      properties: { config: SECTION, revision: { type: 'string' }, file: { type: 'string' }, problems: PROBLEMS },
    },
    handle: async () => ({ ...(await shown(parts)), file: basename(parts.config.file), problems: problemsOf(parts.config.problems) }),
  })
  methods.add({
    name: 'config.schema',
    description: 'What the config may say, as JSON Schema, the sections of the plugins that are there included.',
    scope: 'read',
    result: { type: 'object', required: ['schema'], properties: { schema: SECTION } },
    handle: async () => ({ schema: jsonCopy(schemaWithPlugins(schemasOf(await parts.wishes())), 'the schema') }),
  })
  methods.add({
    name: 'config.update',
    description:
      'Lays a JSON merge patch over the config file, and answers when it is in force: the config, its revision, what was replaced and what failed. ' +
      'Who may come in, what runs unguarded and where keys are sent takes the scope `approve` as well.',
    scope: 'admin',
    params: {
      type: 'object',
      required: ['patch'],
      additionalProperties: false,
      properties: {
        patch: { ...SECTION, description: 'What is to change; null removes a field.' },
        revision: { type: 'string', minLength: 1, maxLength: 64, description: 'The revision it was made from; the current one unless said.' },
      },
    },
    result: {
      type: 'object',
      required: ['config', 'revision', 'changes', 'atNextStart', 'problems'],
      properties: {
        config: SECTION,
        revision: { type: 'string' },
        changes: {
          type: 'object',
          required: ['brought', 'retired', 'failed'],
          properties: {
            brought: { type: 'array', items: { type: 'string' } },
            retired: { type: 'array', items: { type: 'string' } },
            failed: { type: 'object', additionalProperties: { type: 'string' } },
          },
        },
        atNextStart: { type: 'array', items: { type: 'string' } },
        problems: PROBLEMS,
      },
    },
    handle: ({ patch, revision }, ctx) => updated(parts, ctx.caller, { patch, revision }),
  })
}

/** The config and its revision, which belong together though the manifests were read in between. */
async function shown({ config, wishes }: OwnParts): Promise<{ config: JsonObject; revision: string }> {
  for (;;) {
    const { current } = config
    const schemas = schemasOf(await wishes())
    // A plugin that has just taken another's place must not be shown with the schema of that other.
    if (config.current === current) return { config: jsonCopy(config.shown(schemas), 'the config') as JsonObject, revision: config.revision }
  }
}

/** The schemas of plugins' own settings. What has none is shown without any of its texts. */
function schemasOf({ plugins, disabled }: ReadWishes): Record<string, ConfigSchema> {
  const manifests = [...plugins.map(({ source }) => source.manifest), ...disabled.map(({ manifest }) => manifest)]
  return Object.fromEntries(manifests.flatMap(({ id, config }) => (isSchema(config) ? [[id, config]] : [])))
}

function isSchema(schema: Schema | undefined): schema is ConfigSchema {
  return typeof schema === 'object'
}

interface Wish {
  readonly patch: unknown
  readonly revision: string | undefined
}

async function updated(parts: OwnParts, caller: Caller, { patch, revision }: Wish): Promise<JsonObject> {
  mustBeOwner(caller, 'change the config')
  const { config, settled } = parts
  // The owner may have saved the file a moment ago: what is changed is the file as it stands now.
  mustBeUsable(await config.reload())
  const before = config.current
  let warnings: readonly string[] = []
  const accept = async (change: ProposedChange) => {
    mustBeAllowed(change, caller)
    const wishes = await parts.wishes(change.config)
    mustFit(wishes, await parts.wishes(before))
    ;({ warnings } = wishes)
  }
  await config.update(patch, { revision: revision ?? config.revision, accept })
  const now = config.current
  const report = await settled()
  const applied = isDeepStrictEqual(before, now) ? undefined : report
  return {
    ...(await shown(parts)),
    changes: { brought: applied?.brought ?? [], retired: applied?.retired ?? [], failed: { ...applied?.failed } },
    atNextStart: changedForNextStart(now, before),
    problems: [...problemsOf(config.problems), ...warnings.map((message) => ({ severity: 'warning', path: '', message }))],
  }
}

/** Else there would be a conflict with what nobody can have seen. */
function mustBeUsable(problems: readonly Problem[]): void {
  if (!hasErrors(problems)) return
  const message = 'The config file has mistakes that must be mended by hand first'
  throw new RpcError('invalid_request', message, { details: { problems: problemsOf(problems) } })
}

/** A token with `admin` alone would otherwise write itself one that has every scope. */
function mustBeAllowed({ before, after }: ProposedChange, { scopes }: Caller): void {
  const place = changedTrust(before, after)
  if (place === undefined || scopes.includes('approve')) return
  throw new RpcError('forbidden', `Changing ${place} needs the scope \`approve\` as well`, { param: place })
}

/** What a plugin's own schema refuses is not written either. One that was refused before is not this change's fault. */
function mustFit({ plugins }: ReadWishes, before: ReadWishes): void {
  for (const wish of plugins) {
    const { id } = wish.source.manifest
    const wrong = wrongConfig(wish)
    const earlier = before.plugins.find(({ source }) => source.manifest.id === id)
    if (wrong === undefined || (earlier && wrongConfig(earlier) === wrong)) continue
    throw new RpcError('invalid_request', `With this change the config could not be used: ${wrong}`, { param: `plugins.${id}.config` })
  }
}

/** A caller does not learn where the home is. */
function problemsOf(problems: readonly Problem[]): JsonObject[] {
  return problems.map(({ file: _, ...problem }) => problem)
}
