/**
 * `options {thinking, stream, model}`: how the documents spell three of a run's params (seed 002). They are read here, once, so that
 * every dialect and route can pass them on as they came.
 */
import type { Static } from '@isopod/plugin-api'
import type { RUN } from './schema.ts'

type Given = Static<typeof RUN> & { readonly sessionKey: string }

/** A request in the gateway's own names. What an option says wins over the param it stands for. */
export function named({ options, ...params }: Given): Omit<Given, 'options'> {
  if (!options) return params
  const { thinking, ...rest } = options
  return { ...params, ...rest, ...(thinking !== undefined && { sampling: { ...params.sampling, thinking } }) }
}
