/**
 * The process behind the wall: reads frames from its standard input, holds one plugin, and writes frames to its standard
 * output. It is started with nothing and given one message that says what to load; when its input ends, so does it.
 */
import process from 'node:process'
import { definePlugin, PROMISED_IN_REGISTER, type Plugin } from '@isopod/plugin-api'
import { Channel } from './channel.ts'
import { bugOf } from './failure.ts'
import { Guest } from './guest.ts'
import { restrictImports } from './imports.ts'
import type { FromChild, Load, LogLine, ToChild } from './messages.ts'
import { declareOnly, explained, furnish } from './realm.ts'
import { Recorder } from './recorder.ts'

/** The longest line of the log, in characters. */
const LINE = 8_192

const { stdin, stdout } = process
let guest: Guest | undefined

const channel = new Channel<FromChild, ToChild>({
  write: (frame) => void stdout.write(frame),
  // The gateway is trusted: what it says is what its own types say.
  read: (json) => json as unknown as ToChild,
  onMessage: (message) => {
    if (guest) guest.receive(message)
    else if (message.type === 'load') void load(message)
    else if (message.type === 'ping') channel.send({ type: 'pong', beat: message.beat })
  },
  onBytes: () => {},
})

stdin.on('data', (chunk: Uint8Array) => channel.receive(chunk))
stdin.on('end', () => process.exit(0))
process.on('uncaughtException', (thrown) => log({ level: 'error', text: `Thrown where nobody caught it: ${said(thrown)}` }))

function log({ level, text }: Omit<LogLine, 'type'>): void {
  channel.send({ type: 'log', level, text: text.slice(0, LINE) })
}

function said(thrown: unknown): string {
  const bug = bugOf(explained(thrown))
  return bug.stack ?? bug.message
}

async function load({ source, api }: Load): Promise<void> {
  const label = `${source.id} ${source.version}`
  try {
    restrictImports(api)
    furnish(label, log)
    const plugin = pluginOf(await import(source.entry))
    const registered = new Recorder({ id: source.id, label })
    const answer: unknown = declareOnly(() => plugin.register(registered.gateway()))
    if (answer instanceof Promise) throw new Error(PROMISED_IN_REGISTER)
    registered.life(plugin)
    guest = new Guest({
      label,
      registered,
      send: (message) => channel.send(message),
      sendBytes: (stream, bytes) => channel.sendBytes(stream, bytes),
      explain: explained,
    })
    channel.send({ type: 'declared', declared: registered.declared })
  } catch (thrown) {
    channel.send({ type: 'unloadable', bug: bugOf(explained(thrown)) })
  }
}

/** The plugin a module exports. */
function pluginOf(module: { readonly default?: unknown }): Plugin {
  const exported = module.default as Plugin | Plugin['register'] | undefined
  const plugin = typeof exported === 'function' ? definePlugin(exported) : exported
  if (typeof plugin?.register !== 'function') {
    throw new Error('The entry module has no plugin as its default export: export default definePlugin(...)')
  }
  return plugin
}
