/**
 * Every number the store enforces, and why it has that size. They are here and not in the owner's config because a
 * database written under one set of bounds has to be readable under any other.
 */

const KIB = 1024
const MIB = 1024 * KIB

/** Names of namespaces, collections, streams and keys, in UTF-16 units: room for a path or a URL, small enough to be an index. */
export const NAME_LENGTH = 512
/** One value as JSON text: above the largest body the gateway takes (10 MB, seed 002), far below what SQLite keeps in a row. */
export const VALUE_LENGTH = 16 * MIB
/** Steps of one transaction: the thread answers nobody else while it runs them. */
export const STEPS_PER_WRITE = 1_000
/** JSON text of one transaction: it is in memory on both sides, and in the log of the database, before it is acknowledged. */
export const WRITE_LENGTH = 64 * MIB
/** JSON text of one answer, for the same reason. A page of a thousand of the largest values would not fit into memory. */
export const ANSWER_LENGTH = 64 * MIB
/** Rows of one page, unless said, and at most (the port's own numbers). */
export const PAGE_ROWS = 100
export const PAGE_ROWS_MAX = 1_000
/** Calls that may wait for the thread; a disk that stands still must not take the memory of the process with it. */
export const PENDING_CALLS = 10_000
/** JSON text that may wait for the thread. */
export const PENDING_LENGTH = 128 * MIB
/** Calls that share one commit: the first of them waits for the last, so a group stays small beside a sync of the disk. */
export const GROUP_CALLS = 1_000
/** JSON text that shares one commit. */
export const GROUP_LENGTH = 32 * MIB
/** How long a commit waits for another program that has the database locked, such as a backup. */
export const BUSY_MS = 5_000
/** A database up to this size is checked as a whole before it is used: about 30 ms. A larger one would hold up the start. */
export const CHECKED_BYTES = 64 * MIB
/** The log of the database is cut back to this size after it was copied into the database. */
export const LOG_BYTES = 64 * MIB
/** Waits before each new start of a thread that died. When they are used up the store has failed. */
export const RESTART_MS = [0, 200, 1_000, 5_000, 15_000] as const
/** A thread that lived this long has earned all its restarts again. */
export const RESTART_RESET_MS = 60_000
/** A store whose disk refused something tries by itself this often whether it takes writes again. */
export const PROBE_MS = 5_000
