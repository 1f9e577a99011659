/** The types of `telling.mjs`. */
import type { Json, JsonObject } from '@isopod/plugin-api'

export interface StoryRequest {
  readonly verb: string
  readonly path: string
  /** Shown as a bearer; null shows nothing. The owner's token unless said. */
  readonly credential?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Json
  /** A body that is not to be spelled as JSON. */
  readonly text?: string
}

export interface StoryStep {
  readonly request: StoryRequest
  readonly answer: {
    readonly status: number
    readonly headers?: Readonly<Record<string, string>>
    /** The fields of the body, all of them. */
    readonly keys?: readonly string[]
    readonly body?: Json
    readonly stream?: readonly JsonObject[]
  }
  /** Words for later steps, by the paths of their values in the body. */
  readonly capture?: Readonly<Record<string, string>>
  /** Asks again until this is the answer. */
  readonly again?: boolean
  /** Why it is asked of the gateway itself and of nothing in between. */
  readonly direct?: string
}

export interface Story {
  readonly title: string
  readonly verifies?: readonly string[]
  readonly steps: readonly StoryStep[]
}

export interface StoryReply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Json | undefined
}

export interface Listener {
  readonly url: string
  readonly gateway?: string
  readonly known?: Readonly<Record<string, string>>
  readonly heard?: (said: { readonly request: StoryRequest; readonly reply: StoryReply; readonly isDirect: boolean }) => void
}

/** Rejects with the first answer that is another than the story has. */
export function tell(story: Story, to: Listener): Promise<void>
