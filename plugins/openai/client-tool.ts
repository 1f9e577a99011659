/** The tools a client runs itself: what it offers the model, and whether the model has to use them. */
import { wrongParam } from '@isopod/plugin-api'
import type { OfferedTool, ToolChoice } from '@isopod/plugin-api'
import { bounded, isAbsent, list, object, oneOf, optional, text, type Value } from './field.ts'

/** As many as the API itself takes. */
const TOOLS = 128
/** What model providers accept as a tool's name. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/

export function toolsOf(value: Value, path: string): readonly OfferedTool[] | undefined {
  if (isAbsent(value)) return undefined
  const given = list(value, path)
  if (given.length > TOOLS) throw wrongParam(path, `may hold up to ${TOOLS} tools`)
  const tools = given.map((item, index) => toolOf(item, `${path}[${index}]`))
  const repeated = tools.findIndex(({ name }, index) => tools.findIndex((other) => other.name === name) !== index)
  if (repeated !== -1) throw wrongParam(`${path}[${repeated}].function.name`, 'is the name of an earlier tool')
  return tools.length > 0 ? tools : undefined
}

export function toolChoiceOf(value: Value, path: string): ToolChoice | undefined {
  if (isAbsent(value)) return undefined
  if (typeof value === 'string') return oneOf(['auto', 'none', 'required'])(value, path)
  const choice = object(value, path)
  oneOf(['function'])(choice['type'], `${path}.type`)
  return { name: nameOf(object(choice['function'], `${path}.function`)['name'], `${path}.function.name`) }
}

function toolOf(value: Value, path: string): OfferedTool {
  const tool = object(value, path)
  oneOf(['function'])(tool['type'], `${path}.type`)
  const own = object(tool['function'], `${path}.function`)
  const description = optional(own['description'], `${path}.function.description`, bounded(16_384))
  const params = optional(own['parameters'], `${path}.function.parameters`, object) ?? { type: 'object', properties: {} }
  return { name: nameOf(own['name'], `${path}.function.name`), ...(description !== undefined && { description }), params }
}

function nameOf(value: Value, path: string): string {
  const name = text(value, path)
  if (!NAME.test(name)) throw wrongParam(path, 'must be 1 to 64 letters, digits, underscores or hyphens')
  return name
}
