/** What other plugins may know of models: the shapes of its methods. Types only. */
import type { ModelRequest } from '@isopod/plugin-api'

/** A row of `model.list`. `id` is `provider/model`. */
export interface ModelRow {
  readonly id: string
  readonly provider: string
  readonly default: boolean
  /** Seconds since 1970 at which this gateway first offered it. */
  readonly created: number
}

/** `model.resolve {model?}` (internal): which configured model a requested name means. */
export interface ModelResolved {
  /** `provider/model`, the one that will answer. */
  readonly id: string
  /** Whether the requested name was found; false where the default answers in its place. */
  readonly known: boolean
}

/** Params of `model.stream` (internal, streams `ModelPart`). */
export interface ModelStream {
  /** `provider/model`, as `model.resolve` answered it. */
  readonly id: string
  readonly request: Omit<ModelRequest, 'model'>
}
