/**
 * The command line: which commands there are and what they take. Each is a file of its own, imported only when it is asked
 * for. A mistake is a sentence and exit code 2; a command that fails says why and exits with 1.
 */
import { Command, Option } from 'commander'
import { version } from '../version.ts'

/** Runs one command line. Never rejects; the exit code is the process's. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const program = commands()
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (thrown) {
    console.error(thrown instanceof Error ? thrown.message : String(thrown))
    process.exitCode = 1
  }
}

function commands(): Command {
  const program = new Command('isopod')
  program
    .description("A gateway for one person's AI agent")
    .version(version())
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text) })
  program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  program
    .command('start', { isDefault: true })
    .description('Start the gateway and stay in the foreground')
    .addOption(new Option('--port <number>', 'the port to listen on').env('ISOPOD_PORT').argParser(portOf))
    .option('--config <file>', 'the config file, instead of gateway.yaml in the home')
    .allowExcessArguments() // so that they can be refused here, by what they were meant to be
    .action(async (options: { port?: number; config?: string }, command: Command) => {
      const [excess] = command.args
      if (excess !== undefined) return refuseWord(program, excess)
      await (await import('./start.ts')).start(options)
    })
  const token = program.command('token').description('Tokens that clients show')
  token
    .command('create <name>')
    .description('Make a token and show it this once')
    .option('--scopes <list>', 'what it may do, of read, write, admin, approve', 'read,write')
    .action(async (name: string, options: { scopes: string }) => (await import('./token.ts')).createToken(name, options.scopes))
  token.command('list').description('Show tokens by name').action(async () => (await import('./token.ts')).listTokens())
  token
    .command('revoke <name>')
    .description('End a token, by name or id')
    .action(async (name: string) => (await import('./token.ts')).revokeToken(name))
  return program
}

/** A word where no command takes one. `start` needs no name, so a misspelt command comes to it as its argument. */
async function refuseWord(program: Command, word: string): Promise<never> {
  if (program.args[0] === 'start') program.error(`error: start takes no '${word}'`)
  const { nearest } = await import('../config/check.ts')
  const near = nearest(word, program.commands.map((command) => command.name()))
  program.error(`error: unknown command '${word}'${near === undefined ? '' : `\n(Did you mean ${near}?)`}`)
}

function portOf(text: string): number | undefined {
  // An empty variable counts as unset.
  if (text === '') return undefined
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new Error(`'${text}' is no port: --port and ISOPOD_PORT take a number from 0 to 65535`)
  return port
}
