/** The section `plugins`: which are wanted, and the config of each. */
import { ids } from './words.ts'

export const plugins = {
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
