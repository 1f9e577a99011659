/**
 * What every section of the bench is given: the sources, the gateway that is loaded, the references beside it, the client that
 * loads them, and how long each measurement may take. Whoever opens it closes it.
 */
import { Child } from './child.ts'
import { Gateway } from './gateway.ts'
import { gatewayConfig } from './gateway-config.ts'
import { Tree } from './tree.ts'

/** How long and how often; `--quick` keeps the whole run under two minutes on two cores. */
export interface Pace {
  readonly warmSeconds: number
  readonly seconds: number
  /** Targets take turns, so that a machine that slows down slows all of them. */
  readonly rounds: number
  readonly coldStarts: number
  readonly warmStarts: number
  /** Whether what no budget asks for is measured several times round too, and answers that are not streamed. */
  readonly isThorough: boolean
}

export const QUICK: Pace = { warmSeconds: 0.4, seconds: 1, rounds: 2, coldStarts: 3, warmStarts: 5, isThorough: false }
export const WHOLE: Pace = { warmSeconds: 2, seconds: 5, rounds: 3, coldStarts: 5, warmStarts: 15, isThorough: true }

export interface Stage {
  readonly pace: Pace
  readonly tree: Tree
  readonly config: string
  readonly upstream: Child
  readonly client: Child
  /** Where profiles of the gateway go; none are made otherwise. */
  readonly profileTo: string | undefined
  /** The gateway that one section after another loads. It is started by the first that asks. */
  gateway(): Promise<Gateway>
  /** A reference server, by its file; started by the first that asks. */
  reference(file: URL): Promise<Child>
  close(): Promise<void>
}

export async function openStage(pace: Pace, profileTo: string | undefined): Promise<Stage> {
  const tree = new Tree()
  const upstream = await Child.server(new URL('./upstream.ts', import.meta.url))
  const client = Child.client()
  const references = new Map<string, Promise<Child>>()
  const config = gatewayConfig(upstream.port)
  let gateway: Promise<Gateway> | undefined
  return {
    pace,
    tree,
    config,
    upstream,
    client,
    profileTo,
    gateway: () => (gateway ??= Gateway.start({ tree, config, profileTo })),
    reference(file) {
      const known = references.get(file.href) ?? Child.server(file)
      references.set(file.href, known)
      return known
    },
    async close() {
      // What did not start has told so where it was asked for.
      const started = await gateway?.catch(() => undefined)
      await started?.stop()
      for (const server of await Promise.allSettled(references.values())) {
        if (server.status === 'fulfilled') await server.value.end()
      }
      await Promise.all([client.end(), upstream.end()])
      tree.remove()
    },
  }
}
