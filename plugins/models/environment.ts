/**
 * What the environment says of model providers: the variables that every client of these APIs reads. It is the only file of
 * this plugin that sees `process.env`. A provider whose key stands there needs no config. Keys stay in here and are handed
 * out by the name of their variable, so that no setting that travels through the gateway holds one.
 */

/** A provider as the environment gives it. */
export interface EnvironmentProvider {
  readonly id: string
  readonly api: string
  /** The variable its key stands in. */
  readonly keyVariable: string
  readonly baseUrl?: string
}

const KNOWN = [
  { id: 'anthropic', api: 'anthropic', key: 'ANTHROPIC_API_KEY', url: 'ANTHROPIC_BASE_URL' },
  { id: 'openai', api: 'openai', key: 'OPENAI_API_KEY', url: 'OPENAI_BASE_URL' },
] as const

export class Environment {
  readonly #values = new Map<string, string>()

  /** Reads the variables once. A blank one counts as unset. */
  read(variables: NodeJS.ProcessEnv): void {
    this.#values.clear()
    for (const { key, url } of KNOWN) {
      for (const name of [key, url]) this.#keep(name, variables[name]?.trim())
      // The provider packages read the address themselves while they load, and fail to load where it is blank.
      if (variables[url]?.trim() === '') delete variables[url]
    }
  }

  #keep(name: string, value: string | undefined): void {
    if (value) this.#values.set(name, value)
  }

  /** The key in a variable; undefined for a variable that is unset, blank, or none of those this plugin reads. */
  key(variable: string): string | undefined {
    return KNOWN.some(({ key }) => key === variable) ? this.#values.get(variable) : undefined
  }

  /** The address the environment gives for an API. */
  baseUrl(api: string): string | undefined {
    const known = KNOWN.find((one) => one.api === api)
    return known && this.#values.get(known.url)
  }

  /** The variable an API's key stands in, where one does. */
  keyVariable(api: string): string | undefined {
    const known = KNOWN.find((one) => one.api === api)
    return known && this.#values.has(known.key) ? known.key : undefined
  }

  /** The variable an API's key is looked for in, be it set or not; undefined for an API that is no vendor's. */
  static variableFor(api: string): string | undefined {
    return KNOWN.find((one) => one.api === api)?.key
  }

  /** The providers whose key is set. */
  providers(): readonly EnvironmentProvider[] {
    return KNOWN.filter(({ key }) => this.#values.has(key)).map(({ id, api, key, url }) => {
      const baseUrl = this.#values.get(url)
      return { id, api, keyVariable: key, ...(baseUrl !== undefined && { baseUrl }) }
    })
  }
}
