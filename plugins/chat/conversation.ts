/**
 * The messages of a request, read from outside: which parts a message of each role may have, and what each part must
 * carry. Knows nothing of sessions or of where the messages go.
 */
import { RpcError, type Message, type Part, type Role, type Static } from '@isopod/plugin-api'
import type { RUN } from './schema.ts'

type Given = Static<typeof RUN>
type GivenMessage = NonNullable<Given['messages']>[number]
type GivenPart = GivenMessage['parts'][number]

const PARTS: Readonly<Record<Role, readonly Part['type'][]>> = {
  system: ['text'],
  user: ['text', 'image', 'file'],
  assistant: ['text', 'toolCall'],
  tool: ['toolResult'],
}

const NEEDED: Readonly<Record<Part['type'], readonly (keyof GivenPart)[]>> = {
  text: ['text'],
  image: [],
  file: [],
  toolCall: ['id', 'name', 'args'],
  toolResult: ['id', 'name', 'result'],
}

/** The conversation of a request. Throws `invalid_request` and names what is wrong with it. */
export function conversationOf({ message, messages }: Pick<Given, 'message' | 'messages'>): Message[] {
  if ((message === undefined) === (messages === undefined)) throw wrong('message', 'give either message or messages')
  return messages?.map(messageOf) ?? [{ role: 'user', parts: [{ type: 'text', text: message ?? '' }] }]
}

function messageOf({ role, parts }: GivenMessage, index: number): Message {
  const at = `messages[${index}]`
  if (parts.length === 0) throw wrong(`${at}.parts`, 'a message has at least one part')
  return { role, parts: parts.map((part, number) => partOf(part, role, `${at}.parts[${number}]`)) }
}

function partOf(part: GivenPart, role: Role, at: string): Part {
  if (!PARTS[role].includes(part.type)) throw wrong(`${at}.type`, `a message of the role ${role} takes ${PARTS[role].join(', ')}`)
  const missing = NEEDED[part.type].find((field) => part[field] === undefined)
  if (missing) throw wrong(`${at}.${missing}`, `a ${part.type} needs it`)
  const isAttached = part.type === 'image' || part.type === 'file'
  const isSourced = (part.url === undefined) !== (part.data === undefined)
  if (isAttached && !isSourced) throw wrong(at, `give either url or data (base64) of the ${part.type}`)
  // Every field that the part's type calls for is there now, and of the type that the schema asked for.
  return part as Part
}

function wrong(param: string, what: string): RpcError {
  return new RpcError('invalid_request', `${param}: ${what}`, { param })
}
