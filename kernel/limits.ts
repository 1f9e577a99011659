/**
 * The bounds that hold here, each with its source or its reason. What an owner may change is a field of the config
 * (`gateway.limits`) whose default stands here; the rest is fixed.
 */

const KIB = 1024
const MIB = 1024 * KIB

/** Defaults of `gateway.limits`. 0 means no limit. */
export const DEFAULT_LIMITS = {
  bodyBytes: 10 * MIB, // "10MB", API Limits, seed 002
  timeoutSeconds: 300, // API Limits, seed 002
  connections: 10, // open WebSockets per credential, API Limits, seed 002
  requestsPerMinute: 100, // HTTP requests and upgrades per credential, API Limits, seed 002
  callsPerMinute: 6_000, // calls on open sockets per credential, WIRE section 4: a hundred would stop any page
  authFailures: 20, // failed authentications per client, Rate Limits, seed 000
  authWindowSeconds: 60, // Rate Limits, seed 000
} as const

export type Limits = { readonly [Name in keyof typeof DEFAULT_LIMITS]: number }

/** A socket without a credential has this long for its first frame (WIRE section 2). */
export const FIRST_FRAME_MS = 15_000
/** And may send this much before it (WIRE section 2). */
export const FIRST_FRAME_BYTES = 64 * KIB
/** How often every socket with a credential hears that the gateway lives (WIRE section 2). */
export const PULSE_MS = 30_000
/** The largest frame of an authenticated socket: what the native protocol allows (openclaw.md, 1.1). */
export const FRAME_BYTES = 25 * MIB
/** A reader further behind than this is closed with 1013 (openclaw.md, 1.1: the native protocol's buffer cap). */
export const BACKPRESSURE_BYTES = 50 * MIB
/** Calls in flight on one socket; beyond it the socket is closed with 1013, since uWebSockets cannot pause one. */
export const CALLS_PER_SOCKET = 256
/** No request holds a connection without an answer longer than this, and no socket stays silent. */
export const IDLE_TIMEOUT_SECONDS = 120
/** JSON nested deeper is refused: `JSON.stringify` and recursive checks overflow long before `JSON.parse` does. */
export const JSON_DEPTH = 64
/** What an `-ing` tap may take before its silence refuses (DESIGN section 10). */
export const TAP_DEADLINE_MS = 200
/** And what it may ask for. */
export const TAP_DEADLINE_MAX_MS = 5_000
/** What a walled row or dialect may take to read or spell one thing: it computes, and waits for nobody. */
export const SPELL_DEADLINE_MS = 5_000
/** What a channel may take to say how it is: it looks at what it knows already, and lists of channels wait for it. */
export const CHANNEL_STATUS_MS = 2_000
/** What a plugin's `register` and `start` may take. */
export const START_DEADLINE_MS = 10_000
/** How long an old instance drains before its calls are cancelled (DESIGN section 10). */
export const DRAIN_MS = 30_000
/** Events kept of each run for a client that comes back, and of how many runs. */
export const RUN_EVENTS = 4_096
export const RUNS_KEPT = 1_000
/**
 * What the kept events of all runs may weigh, in characters of JSON: one in V8 takes a byte or two, and a gateway that has
 * answered 10,000 calls may have 130 MB in all (DESIGN section 7). Room for a quarter of a million words as they were streamed.
 */
export const RUNS_CHARACTERS = 32 * MIB
/** A run's buffer is dropped this long after its end. */
export const RUN_RETENTION_MS = 10 * 60_000
/** Names of events one client may subscribe to: WIRE section 1 has 21, and plugins bring some of their own. */
export const SUBSCRIBED_NAMES = 256
/** An event loop that stood still for this long answered nobody in time: health checks give up after about a second. */
export const STALL_MS = 1_000
/** And the gateway is not ready for this long after it, so that a balancer which asks every few seconds notices. */
export const STALL_REMEMBERED_MS = 10_000
/** Calls that follow the log at once: each is an open stream that no rate counts. */
export const LOG_FOLLOWERS = 32
/** How deep plugin may call plugin before the kernel assumes a loop. */
export const CALL_DEPTH = 16
/** How long a cancelled handler has to end in its own words before its caller is answered without it. */
export const CANCEL_GRACE_MS = 1_000
/** What a call that outlives its caller's may take. */
export const OUTLIVING_MS = 5_000
