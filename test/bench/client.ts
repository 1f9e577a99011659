/**
 * The load client: a process of its own, so that neither the bench nor a server shares its processor time unseen. It carries
 * out one job after another, as it is asked to, and ends when the bench does.
 */
import { loadChat } from './chat-load.ts'
import { hold } from './hold-load.ts'
import { loadHttp } from './http-load.ts'
import type { Job, Load, Said } from './job.ts'
import { loadRpc } from './rpc-load.ts'

function carryOut(job: Job): Promise<Load> {
  switch (job.kind) {
    case 'rpc': return loadRpc(job)
    case 'http': return loadHttp(job)
    case 'chat': return loadChat(job)
    case 'hold': return hold(job)
  }
}

function say(said: Said): void {
  process.send?.(said)
}

// The bench sends jobs and nothing else.
process.on('message', (job: Job) => {
  carryOut(job).then(
    (load) => say({ kind: 'done', load }),
    (cause: unknown) => say({ kind: 'failed', message: cause instanceof Error ? cause.message : String(cause) }),
  )
})
process.on('disconnect', () => process.exit(0))
