/** The one row: every hook is a path below it, and reads the bytes as they came. */
import type { Route } from '@isopod/plugin-api'

export const hookRow: Route = {
  verb: 'POST',
  path: '/hooks/{name+}',
  mount: 'path',
  maxBody: 'maxBodyBytes',
  call: 'hook.receive',
  auth: 'own',
  body: 'text',
  decode: ({ segments, headers, query, body }) => ({
    params: { name: segments['name'] ?? '', headers, query, body: typeof body === 'string' ? body : '' },
  }),
  describe: {
    summary: 'A webhook: `wake`, `agent`, or a mapping of the config. Takes `hooks.token` as a bearer or in `X-OpenClaw-Token`, or the mapping\'s signature.',
    body: { type: 'object', additionalProperties: true },
    reply: {
      type: 'object',
      required: ['ok'],
      properties: { ok: { const: true }, runId: { type: 'string' }, mode: { enum: ['now', 'next-heartbeat'] } },
    },
  },
}
