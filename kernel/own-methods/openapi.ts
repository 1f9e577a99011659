/** The description of the HTTP side, for generators of clients and for people with a viewer. */
import type { MethodRegistry, Route } from '@isopod/plugin-api'
import type { OwnParts } from './parts.ts'

const DOCUMENT = {
  type: 'object',
  required: ['openapi', 'info', 'paths'],
  properties: { openapi: { type: 'string' }, info: { type: 'object' }, paths: { type: 'object' } },
} as const

export const openapiRow: Route = {
  verb: 'GET',
  path: '/openapi.json',
  call: 'system.openapi',
  describe: { summary: 'This document.', reply: DOCUMENT },
}

export function addOpenapi(methods: MethodRegistry, { kernel }: OwnParts, version: string): void {
  methods.add({
    name: 'system.openapi',
    description: 'The HTTP side as an OpenAPI 3.1 document.',
    scope: 'read',
    // Made where it is asked for: few gateways are ever asked.
    handle: async () => (await import('../openapi/document.ts')).openapiOf(kernel().generation, version),
  })
}
