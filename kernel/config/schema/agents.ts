/** The section `agents`: who answers, with which model and which tools. */
import { ids, names } from './words.ts'

export const agents = {
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
