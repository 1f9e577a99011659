/** Which conversation a request belongs to: `user` names one for each agent, and a request without it has a fresh one. */
import { wrongParam } from '@isopod/plugin-api'

/** Names of agents other than the default one. The offline model's name only looks like one. */
const AGENT = /^(?!isopod\/offline$)(?:openclaw\/|isopod\/|agent:)(.+)$/s

/**
 * What a session key may be (1 to 256 printable characters): no control,
 * formatting, surrogate or private ones, no line separators.
 */
const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{1,256}$/u

/** `openai:<agent>:<user>`, or undefined without a user. */
export function sessionKeyOf(model: string, user: string | undefined): string | undefined {
  if (user === undefined || user === '') return undefined
  const key = `openai:${AGENT.exec(model)?.[1] ?? 'default'}:${user}`
  if (!PRINTABLE.test(key)) throw wrongParam('user', 'must be printable, and with the agent\'s name fit a session key of 256 characters')
  return key
}
