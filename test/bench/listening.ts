/** How a server of the bench tells the bench its port, and ends when the bench does. */
import type { Server } from 'node:http'
import type { Said } from './job.ts'

export function listening(where: Server | number): void {
  const address = typeof where === 'number' ? { port: where } : where.address()
  if (address === null || typeof address === 'string') throw new Error('It listens on a port')
  process.on('disconnect', () => process.exit(0))
  process.send?.({ kind: 'listening', port: address.port } satisfies Said)
}
