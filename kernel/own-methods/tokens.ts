/** Who may come in: named tokens, made, listed and revoked. */
import { SCOPES, type MethodRegistry } from '@isopod/plugin-api'
import { mustBeOwner } from './owner.ts'
import type { OwnParts } from './parts.ts'

export function addTokens(methods: MethodRegistry, { tokens }: OwnParts): void {
  methods.add({
    name: 'token.list',
    description: 'Every token by name; never the tokens themselves.',
    scope: 'admin',
    handle: () => ({ tokens: tokens.list().map((one) => ({ ...one })) }),
  })
  methods.add({
    name: 'token.create',
    description: 'Makes a token and shows it this once. It can do no more than the token that made it.',
    scope: 'admin',
    params: {
      type: 'object',
      required: ['name', 'scopes'],
      additionalProperties: false,
      properties: {
        name: { type: 'string', minLength: 1 },
        scopes: { type: 'array', minItems: 1, items: { enum: SCOPES } },
        expiresInDays: { type: 'number', exclusiveMinimum: 0, maximum: 36_500 },
      },
    },
    handle: async ({ name, scopes, expiresInDays }, ctx) => {
      mustBeOwner(ctx.caller, 'make a token')
      const wish = { name, scopes, ...(expiresInDays !== undefined && { expiresAt: ctx.now() + expiresInDays * 86_400_000 }) }
      const { token, listing } = await tokens.create(wish, ctx.caller.scopes)
      return { token, ...listing }
    },
  })
  methods.add({
    name: 'token.revoke',
    description: 'Ends a token, by id or name; its sockets are closed.',
    scope: 'admin',
    params: { type: 'object', required: ['token'], additionalProperties: false, properties: { token: { type: 'string', minLength: 1 } } },
    handle: async ({ token }, ctx) => {
      mustBeOwner(ctx.caller, 'revoke a token')
      return { ...(await tokens.revoke(token)) }
    },
  })
}
