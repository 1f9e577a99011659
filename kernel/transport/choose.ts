/**
 * Which of the two transports serves. uWebSockets is the faster one and exists for some versions of Node only; where it
 * cannot be loaded the other serves, and the owner is told why. Knows no config file.
 */
import type { TransportFactory } from './transport.ts'

export type TransportPreference = 'auto' | 'uws' | 'ws'

export interface TransportChoice {
  readonly factory: TransportFactory
  readonly name: 'uws' | 'ws'
  /** A sentence for the log. */
  readonly why: string
}

/** `loadUws` is how the library is looked for. Never rejects for want of it. */
export async function chooseTransport(preference: TransportPreference, loadUws = loadLibrary): Promise<TransportChoice> {
  if (preference === 'ws') return { ...(await overWs()), why: 'The transport is node:http with ws, as configured.' }
  try {
    await loadUws()
  } catch (cause) {
    return { ...(await overWs()), why: `The transport is node:http with ws, because ${reasonOf(cause)}.` }
  }
  const { uwsTransport } = await import('./uws.ts')
  return { factory: uwsTransport, name: 'uws', why: 'The transport is uWebSockets.' }
}

async function loadLibrary(): Promise<void> {
  const { loadUws } = await import('./uws.ts')
  await loadUws()
}

async function overWs(): Promise<Pick<TransportChoice, 'factory' | 'name'>> {
  const { wsTransport } = await import('./ws.ts')
  return { factory: wsTransport, name: 'ws' }
}

/** The package on npm has builds for Node 18 to 22 only. */
function reasonOf(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return Number(process.versions.node.split('.', 1)[0]) > 22 ? `${reason} (on npm there is none for a Node newer than 22)` : reason
}
