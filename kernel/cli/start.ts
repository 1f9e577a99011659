/** `isopod start`: runs the gateway in the foreground until it is told to stop. */
import { startGateway, type StartedGateway } from '../main.ts'
import { banner } from './banner.ts'
import { catchStrays } from './stray.ts'

/**
 * Resolves once it listens; the process then lives until a signal, and ends with 0. So it does where the signal comes before
 * that: what was opened is closed. A second signal ends it at once, with 130.
 */
export async function start(options: { readonly port?: number; readonly config?: string }): Promise<void> {
  // Whoever read what is printed may go away (`npm start | head`); the gateway stays.
  process.stdout.on('error', () => {})
  const stopping = new AbortController()
  // Listened for before anything is opened: whatever is, is closed again.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(130)
      process.stdout.write(`\nStopping (${name}); once more to stop at once.\n`)
      stopping.abort()
      void end(starting)
    })
  }
  const { signal } = stopping
  const starting = startGateway({ env: process.env, ...options, signal, onOpening: (log, close) => catchStrays({ log, close }) })
  const gateway = await starting.catch((thrown: unknown) => unless(signal.aborted, thrown))
  if (gateway) process.stdout.write(banner(gateway))
}

/** Closes a gateway, or waits until a start that was ended has closed what it had opened; then ends the process. */
async function end(starting: Promise<StartedGateway>): Promise<void> {
  const gateway = await starting.catch(() => undefined)
  try {
    await gateway?.close()
    process.exit(0)
  } catch (thrown) {
    process.stderr.write(`Not everything could be closed: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`)
    process.exit(1)
  }
}

function unless(expected: boolean, thrown: unknown): undefined {
  if (!expected) throw thrown
}
