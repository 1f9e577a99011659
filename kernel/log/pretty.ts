/**
 * A line for people: time, level, who, what, and the facts behind it. It also makes a line harmless: what a stranger put
 * into a message cannot move the cursor or colour the terminal.
 */
import { styleText } from 'node:util'
import type { Level, LogEntry } from './ring.ts'

const COLOURS = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const satisfies Record<Level, string>

/** One entry as text, its line feed included; an error's stack follows on lines of its own. */
export function prettyLine({ at, level, message, plugin, facts }: Omit<LogEntry, 'seq'>, colour: boolean): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) => (colour ? styleText(style, text, { validateStream: false }) : text)
  const { stacks, rest } = splitStacks(facts)
  const parts = [
    paint('gray', new Date(at).toTimeString().slice(0, 8)),
    paint(COLOURS[level], level.padEnd(5)),
    ...(plugin === undefined ? [] : [paint('cyan', harmless(plugin))]),
    harmless(message),
    ...Object.entries(rest).map(([name, value]) => paint('gray', harmless(`${name}=${factText(value)}`))),
  ]
  const traces = stacks.flatMap((stack) => stack.split('\n')).map((line) => paint('gray', `    ${harmless(line)}`))
  return `${[parts.join(' '), ...traces].join('\n')}\n`
}

function splitStacks(facts: LogEntry['facts']): { stacks: string[]; rest: { [name: string]: unknown } } {
  const stacks: string[] = []
  const rest: { [name: string]: unknown } = {}
  for (const [name, value] of Object.entries(facts)) {
    const stack = typeof value === 'object' && value !== null && 'stack' in value ? value.stack : undefined
    if (typeof stack === 'string') stacks.push(stack)
    else rest[name] = value
  }
  return { stacks, rest }
}

function factText(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}

/** Control characters, and those that are invisible or reorder text, in the form JSON would give them. */
function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}
