/** What other plugins may know of tools: the shapes of its methods. Types only. */
import type { Json, JsonObject } from '@isopod/plugin-api'

/** A row of `tool.list`. */
export interface ToolRow {
  readonly name: string
  readonly description: string
  readonly params: JsonObject
  readonly effects: readonly string[]
}

/** Params of `tool.invoke`. */
export interface ToolInvoke {
  readonly tool: string
  readonly params?: JsonObject
  readonly agentId?: string
}

/** What `tool.invoke` answers. A tool that fails in its own way is refused, with words the model may see. */
export interface ToolInvoked {
  readonly result: Json
}
