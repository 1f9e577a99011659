/** `isopod start`: runs the gateway in the foreground until it is told to stop. */
import { startGateway } from '../main.ts'
import { banner } from './banner.ts'
import { catchStrays } from './stray.ts'

/** Resolves once it listens; the process then lives until a signal, and ends with 0. A second signal ends it at once, with 130. */
export async function start(options: { readonly port?: number; readonly config?: string }): Promise<void> {
  // Whoever read what is printed may go away (`npm start | head`); the gateway stays.
  process.stdout.on('error', () => {})
  const gateway = await startGateway({ env: process.env, ...options, onOpening: (log, close) => catchStrays({ log, close }) })
  let stopping = false
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(130)
    stopping = true
    process.stdout.write(`\nStopping (${signal}); once more to stop at once.\n`)
    gateway.close().then(
      () => process.exit(0),
      (thrown: unknown) => {
        process.stderr.write(`Not everything could be closed: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`)
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  process.stdout.write(banner(gateway))
}
