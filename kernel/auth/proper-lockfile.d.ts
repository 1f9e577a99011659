/** What the gateway uses of `proper-lockfile`, which ships no types. */
declare module 'proper-lockfile' {
  export interface LockOptions {
    /** Whether the file must exist. */
    readonly realpath?: boolean
    /** A lock not refreshed for this long is taken over, in milliseconds. At least 2000. */
    readonly stale?: number
    readonly retries?: { readonly retries: number; readonly factor?: number; readonly minTimeout?: number; readonly maxTimeout?: number }
    /** Called when somebody else took the lock over. Without it the library throws where nobody can catch it. */
    readonly onCompromised?: (error: Error) => void
  }
  /** Resolves with the release. Rejects with code ELOCKED where the lock stays taken. */
  export function lock(file: string, options?: LockOptions): Promise<() => Promise<void>>
}
