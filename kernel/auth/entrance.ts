/**
 * Who gets in, and under which names the gateway is meant: made anew from each config. A config under which the gateway would
 * not have been let start gets in by no change either. It opens and closes nothing; whose credential has lapsed it says, and
 * somebody else hangs up.
 */
import type { Config } from '../config/schema.ts'
import { Authenticator, type AuthParts } from './authenticate.ts'
import { checkBind, type Binding } from './bind.ts'
import { namesOf, type Names } from './origin.ts'

export class Entrance {
  readonly #parts: AuthParts
  /** `gateway.bind` as it was when the port was opened; a change of it waits for the next start. */
  readonly #bind: string
  #hosts: readonly string[] = []
  #auth: Authenticator
  #names: Names

  /** The parts outlive every config: no change of it forgets a failure. */
  constructor(config: Config, parts: AuthParts) {
    this.#parts = parts
    this.#bind = config.gateway.bind
    this.#auth = this.#authUnder(config)
    this.#names = this.#namesUnder(config)
  }

  get auth(): Authenticator {
    return this.#auth
  }

  get names(): Names {
    return this.#names
  }

  /**
   * Where the gateway is to listen.
   * @throws RpcError `invalid_request`, naming what to change, where it must not listen there.
   */
  binding(config: Config): Binding {
    return this.#checked(config, this.#auth)
  }

  /** It listens on these addresses, and is meant by them too. */
  opened(config: Config, hosts: readonly string[]): void {
    this.#hosts = hosts
    this.#names = this.#namesUnder(config)
  }

  /**
   * Goes by another config from here on. Answers the ids of callers whose credential no longer works.
   * @throws RpcError `invalid_request` where the gateway must not listen under it; everybody gets in as before then.
   */
  change(config: Config): readonly string[] {
    const auth = this.#authUnder(config)
    this.#checked(config, auth)
    const lapsed = auth.lapsedSince(this.#auth)
    this.#auth = auth
    this.#names = this.#namesUnder(config)
    return lapsed
  }

  #checked({ gateway }: Config, { hasCredential }: Authenticator): Binding {
    return checkBind({ bind: this.#bind, authEnabled: gateway.auth.enabled, hasCredential })
  }

  #authUnder({ gateway }: Config): Authenticator {
    return new Authenticator(gateway.auth, this.#parts)
  }

  #namesUnder({ gateway }: Config): Names {
    return namesOf({ bound: this.#hosts, hosts: gateway.hosts, origins: gateway.origins, cors: gateway.cors.origins })
  }
}
