/** How long a provider asks to wait, from the headers of its refusal: seconds, a date, or milliseconds where OpenAI adds them. */

/** A day: what is beyond it is no answer to "when", and would make a date of nonsense. */
const LONGEST_SECONDS = 86_400

/** Whole seconds from `now` (milliseconds since 1970), never early; undefined where the headers say nothing that can be read. */
export function retryAfterSeconds(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const seconds = fromMilliseconds(headers['retry-after-ms'] ?? '') ?? fromSeconds(headers['retry-after'] ?? '', now)
  return seconds === undefined ? undefined : Math.min(LONGEST_SECONDS, Math.max(0, Math.ceil(seconds)))
}

function fromMilliseconds(text: string): number | undefined {
  return isNumber(text) ? Number(text) / 1000 : undefined
}

function fromSeconds(text: string, now: number): number | undefined {
  if (isNumber(text)) return Number(text)
  // HTTP's dates end so; without that, `Date.parse` makes a date of nearly anything.
  const date = text.endsWith('GMT') ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : (date - now) / 1000
}

function isNumber(text: string): boolean {
  return /^\d+(\.\d+)?$/.test(text.trim())
}
