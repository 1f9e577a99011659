/**
 * A client of the gateway, for Node and for browsers. It needs nothing but what both have: `fetch`, `WebSocket` and
 * streams. `OpenClawClient` is where everything begins.
 */
export { OpenClawClient } from './client.ts'
export type { Message, MessageEvent, MessageOptions } from './client.ts'
export type { Agent, AgentEvent, AgentRun, RunOptions, RunRequest, Usage } from './agent.ts'
export type { CallOptions, ClientOptions } from './client-options.ts'
export type { Connection, ConnectOptions, GatewayFacts } from './connection.ts'
export type { GatewayEvent, ToolWish } from './gateway-event.ts'
export { GatewayError } from './gateway-error.ts'
export type { ErrorCode } from './gateway-error.ts'
export type { Run, RunResult } from './run.ts'
export type { WebSocketConstructor, WebSocketLike } from './link.ts'
