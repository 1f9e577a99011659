/**
 * Keeps secrets out of a log line. Three nets, each of which catches what slips through the others: fields whose name says
 * that they are secret, texts of a form that carries a credential (`Bearer ...`, `?token=...`), and the live secrets
 * themselves wherever they appear. A line is searched once with one pattern; only a line that matches is taken apart.
 */

const HIDDEN = '<redacted>'

/** Shorter secrets are not searched for: they would be found inside ordinary words and make every line unreadable. */
export const SHORTEST_SECRET = 4

const SECRET_NAME = /(?:authorization|cookie|token|password|passwd|passphrase|secret|apikey|privatekey|credential)$/
const NAMES = 'authorization|cookie|token|password|passwd|passphrase|secret|api[-_ ]?key|private[-_ ]?key|credential'
/** A line written by us spells a key as `"name":`. */
const NAMED = `(?:${NAMES})"\\s*:`
// A line may quote anybody, at any length: each pattern reads a text once, and none tries a part of it in two ways.
/** A credential nearly always holds a digit; "Basic authentication" does not. */
const BEARER = /\b(Bearer|Basic)[ +]+(?![ +])(?=\S*[\d=])[A-Za-z0-9._~+/=-]{8,}/gi
const QUERY = /((?:^|[?&;\s"'(,])(?:[a-z0-9_-]*(?:token|password|secret|api_?key|signature)|key)=)[^&\s"'#;]+/gi
/** The name may be empty, as it is in addresses of Redis. */
const USER_INFO = /(:\/\/)[^/?#@\s":]*:[^/?#@\s"]*@/g
const FORMS = '\\b(?:Bearer|Basic)[ +]|(?:token|password|secret|api_?key|signature|[?&;]key)=|:\\/\\/[^/?#@\\s"]+@'

/** Whether a field of that name holds a secret: `token`, `botToken`, `x-api-key`. Counts such as `promptTokens` do not. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.toLowerCase().replace(/[-_ ]/g, ''))
}

export class Secrecy {
  readonly #secrets = new Set<string>()
  #suspicious = new RegExp(`${NAMED}|${FORMS}`, 'i')
  #live: RegExp | undefined
  #liveInLine: RegExp | undefined

  /** From now on this text, and its form in a URL, appears in no line. */
  hide(secret: string): void {
    const all = [secret, encodeURIComponent(secret.toWellFormed())]
    const forms = all.filter((form) => form.length >= SHORTEST_SECRET && !this.#secrets.has(form))
    if (forms.length === 0) return
    for (const form of forms) this.#secrets.add(form)
    const longestFirst = [...this.#secrets].sort((a, b) => b.length - a.length)
    this.#live = new RegExp(longestFirst.map(escaped).join('|'), 'g')
    // In a line the secret stands as JSON spells it.
    this.#liveInLine = new RegExp(longestFirst.map((each) => escaped(JSON.stringify(each).slice(1, -1))).join('|'))
  }

  /** Whether a line of JSON may hold a secret. Says yes too often, never too seldom. */
  suspects(line: string): boolean {
    return this.#suspicious.test(line) || (this.#liveInLine?.test(line) ?? false)
  }

  /** A copy of what a line holds, without its secrets. */
  clean(value: unknown, name = ''): unknown {
    if (name !== '' && isSecretName(name) && value !== null && typeof value !== 'boolean') return HIDDEN
    if (typeof value === 'string') return this.cleanText(value)
    if (typeof value === 'number') return this.#isLive(String(value)) ? HIDDEN : value
    if (Array.isArray(value)) return value.map((item) => this.clean(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.cleanText(key), this.clean(item, key)]))
  }

  /** A text without the secrets in it. */
  cleanText(text: string): string {
    const formless = text.replace(BEARER, `$1 ${HIDDEN}`).replace(QUERY, `$1${HIDDEN}`).replace(USER_INFO, `$1${HIDDEN}@`)
    return this.#live ? formless.replace(this.#live, HIDDEN) : formless
  }

  #isLive(text: string): boolean {
    return this.#secrets.has(text)
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}
