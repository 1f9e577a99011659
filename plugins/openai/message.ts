/**
 * The messages of a request, made neutral. The answer of a tool names only its call's id here, so the names of the calls
 * are remembered on the way. Some models number their calls anew in each round: the last call of an id is the one meant.
 */
import { wrongParam } from '@isopod/plugin-api'
import type { Message, Part } from '@isopod/plugin-api'
import { bounded, isAbsent, list, object, oneOf, optional, text, type Value } from './field.ts'
import { argsOf } from './tool-args.ts'
import { partsOf, textPartsOf } from './part.ts'

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'] as const

type ToolCall = Extract<Part, { type: 'toolCall' }>

/** Names of the calls seen so far, by id. */
type Names = Map<string, string>

/** More than any context window holds, and what `chat.run` takes. */
const MESSAGES = 5_000
const ID = bounded(256, 1)

export function messagesOf(value: Value, path: string): readonly Message[] {
  const given = list(value, path)
  if (given.length === 0) throw wrongParam(path, 'must hold at least one message')
  if (given.length > MESSAGES) throw wrongParam(path, `may hold up to ${MESSAGES} messages`)
  const names: Names = new Map()
  return given.map((item, index) => messageOf(item, `${path}[${index}]`, names))
}

function messageOf(value: Value, path: string, names: Names): Message {
  const message = object(value, path)
  const role = oneOf(ROLES)(message['role'], `${path}.role`)
  // A participant's name has no place in a neutral message: it is checked, and left behind.
  optional(message['name'], `${path}.name`, text)
  const content = message['content']
  const at = `${path}.content`
  switch (role) {
    case 'system':
    case 'developer':
      return { role: 'system', parts: textPartsOf(content, at) }
    case 'user':
      return { role, parts: partsOf(content, at) }
    case 'assistant':
      return { role, parts: saidAndCalled(content, at, callsOf(message['tool_calls'], `${path}.tool_calls`, names)) }
    case 'tool':
      return { role, parts: [resultOf(message['tool_call_id'], `${path}.tool_call_id`, joined(textPartsOf(content, at)), names)] }
  }
}

/** Beside calls an assistant may have said nothing; alone, it must have said something, if only an empty text. */
function saidAndCalled(content: Value, path: string, calls: readonly ToolCall[]): readonly Part[] {
  if (calls.length === 0) return textPartsOf(content, path)
  return isAbsent(content) || content === '' ? calls : [...textPartsOf(content, path), ...calls]
}

function callsOf(value: Value, path: string, names: Names): readonly ToolCall[] {
  if (isAbsent(value)) return []
  return list(value, path).map((item, index) => {
    const call = callOf(item, `${path}[${index}]`)
    names.set(call.id, call.name)
    return call
  })
}

function callOf(value: Value, path: string): ToolCall {
  const call = object(value, path)
  optional(call['type'], `${path}.type`, oneOf(['function']))
  const own = object(call['function'], `${path}.function`)
  return {
    type: 'toolCall',
    id: ID(call['id'], `${path}.id`),
    name: bounded(256, 1)(own['name'], `${path}.function.name`),
    args: argsOf(text(own['arguments'], `${path}.function.arguments`)),
  }
}

function resultOf(id: Value, path: string, result: string, names: Names): Part {
  const name = names.get(ID(id, path))
  if (name === undefined) throw wrongParam(path, 'answers no tool call of an earlier message')
  return { type: 'toolResult', id: ID(id, path), name, result }
}

function joined(parts: readonly { readonly text: string }[]): string {
  return parts.map((part) => part.text).join('')
}
