/** Words that several sections of the config share. */

/** Ids become parts of model names, file names and log lines. */
export const ids = { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', accepts: 'letters, digits, dots, dashes and underscores, 64 at most' } as const

export const secretText = { type: 'string', minLength: 1, secret: true, accepts: 'text, or ${NAME}' } as const

/** A secret that may also stand in the secret store. Those of `gateway.auth` may not: they are needed before it opens. */
export const secretValue = {
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'object', additionalProperties: false, required: ['secret'], properties: { secret: { type: 'string', minLength: 1 } } },
  ],
  secret: true,
  accepts: 'text, ${NAME}, or { secret: name }',
} as const

export const limit = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, accepts: 'a whole number, or 0 for no limit' } as const

export const names = { type: 'array', items: { type: 'string', minLength: 1 } } as const
