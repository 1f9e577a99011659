/**
 * A command to the offline model: a line of a message that begins with `/call`, `/slow` or `/fail`. A command that cannot be
 * carried out becomes a remark in the answer, as a person would be told, and never a failure.
 */
import { REFUSALS, RpcError, type Json, type OfferedTool, type RefusalCode } from '@isopod/plugin-api'

/** A minute between words is as slow as any real model; more would only look dead. */
const SLOWEST_MS = 60_000

/** A tool the message wants called. */
export interface ToolWish {
  readonly name: string
  readonly args: Json
}

export interface Command {
  readonly call?: ToolWish
  /** Milliseconds between words. */
  readonly pauseMs?: number
  readonly fail?: RpcError
  /** Why it is not carried out. */
  readonly remark?: string
}

/** A line that is a command; undefined for any other, which is then repeated. */
export function commandOf(line: string, tools: readonly OfferedTool[]): Command | undefined {
  const [, verb, name = '', rest = ''] = /^\/(call|slow|fail)\s+(\S+)\s*(.*)$/.exec(line.trim()) ?? []
  switch (verb) {
    case 'call':
      return callOf(name, rest, tools)
    case 'slow':
      return /^\d+$/.test(name) ? { pauseMs: Math.min(Number(name), SLOWEST_MS) } : { remark: `/slow takes milliseconds, not ${name}.` }
    case 'fail':
      return failureOf(name, rest)
    case undefined:
    default:
      return undefined
  }
}

function callOf(name: string, json: string, tools: readonly OfferedTool[]): Command {
  if (!tools.some((tool) => tool.name === name)) {
    return { remark: `There is no tool ${name} here; there is ${tools.map((tool) => tool.name).join(', ') || 'none'}.` }
  }
  try {
    const args = JSON.parse(json || '{}') as Json
    if (typeof args === 'object' && args !== null && !Array.isArray(args)) return { call: { name, args } }
  } catch {
    // Told below, together with JSON that is no object.
  }
  return { remark: `The arguments of /call ${name} are no JSON object.` }
}

function failureOf(code: string, seconds: string): Command {
  if (!(REFUSALS as readonly string[]).includes(code)) return { remark: `/fail takes one of ${REFUSALS.join(', ')}.` }
  const retryable = code === 'rate_limited' || code === 'unavailable'
  const wait = /^\d{1,5}$/.test(seconds) ? { retryAfterSeconds: Number(seconds) } : {}
  // Checked against the table of refusals above.
  return { fail: new RpcError(code as RefusalCode, `The offline model was told to fail with ${code}`, { retryable, ...wait }) }
}
