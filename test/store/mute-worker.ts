/** The store's thread, but the first time it has committed something it dies before it can say so. */
import { existsSync, writeFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { FromThread, ThreadOptions } from '../../kernel/store/message.ts'

const port = parentPort!
const said = `${(workerData as ThreadOptions).path}.said` // the driver starts every thread with these
const post = port.postMessage.bind(port)

port.postMessage = (message: FromThread) => {
  if (message.kind !== 'answered' || message.commits === 0 || existsSync(said)) return post(message)
  writeFileSync(said, '')
  process.exit(1)
}

await import('../../kernel/store/worker.ts')
