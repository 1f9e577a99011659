/** `hook.list`: which hooks there are. */
import type { TypedMethod } from '@isopod/plugin-api'
import { mappedPaths } from './mapping.ts'
import { settingsOf } from './settings.ts'

export const list: TypedMethod<undefined> = {
  name: 'hook.list',
  description: 'The hooks that wait for a call: their paths below `hooks.path`, and what they do.',
  scope: 'read',
  result: {
    type: 'object',
    required: ['enabled', 'hooks'],
    properties: {
      enabled: { type: 'boolean' },
      hooks: {
        type: 'array',
        items: { type: 'object', required: ['path', 'kind'], properties: { path: { type: 'string' }, kind: { enum: ['agent', 'wake'] } } },
      },
    },
  },
  handle(_params, ctx) {
    const mapped = mappedPaths(ctx).map(({ path, mapping }) => ({ path, kind: mapping.kind, signed: mapping.signature !== undefined }))
    const own = [{ path: 'wake', kind: 'wake', signed: false }, { path: 'agent', kind: 'agent', signed: false }]
    return { enabled: settingsOf(ctx).enabled, hooks: [...own, ...mapped] }
  },
}
