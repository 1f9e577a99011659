/**
 * What the mock upstream says: always the same pieces, one word each, in the shape of OpenAI's chat completions. The name of
 * the model says how many milliseconds lie between two pieces: `paced-25`, or `paced-0` for all at once.
 */

const PIECES = 20

/** Fixed text, so that whoever reads an answer can tell that it is whole. */
const WORDS = Array.from({ length: PIECES }, (_, at) => `word${at + 1} `)

/** Part of the first piece, wherever it comes through. */
export const FIRST_PIECE = 'word1 '
export const LAST_PIECE = `word${PIECES} `

export interface Asked {
  readonly model: string
  readonly stream: boolean
}

/** The milliseconds between two pieces. */
export function gapOf(model: string): number {
  return Number(/^paced-(\d+)$/.exec(model)?.[1] ?? 0)
}

/** The events of a streamed answer; the last of them come together. */
export function eventsOf(model: string): readonly string[] {
  const deltas = WORDS.map((content, at) => event(model, { delta: { role: 'assistant', content }, finish_reason: null }, at))
  const end = event(model, { delta: {}, finish_reason: 'stop' }, PIECES, { prompt_tokens: 8, completion_tokens: PIECES, total_tokens: 8 + PIECES })
  return [...deltas.slice(0, -1), `${deltas.at(-1)}${end}data: [DONE]\n\n`]
}

/** An answer in one piece. */
export function wholeOf(model: string): string {
  const message = { role: 'assistant', content: WORDS.join('') }
  const usage = { prompt_tokens: 8, completion_tokens: PIECES, total_tokens: 8 + PIECES }
  return JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion', created: 0, model, choices: [{ index: 0, message, finish_reason: 'stop' }], usage })
}

/** How long an answer takes by itself. */
export function durationMs(gapMs: number): number {
  return gapMs * (PIECES - 1)
}

function event(model: string, choice: object, at: number, usage?: object): string {
  return `data: ${JSON.stringify({ id: `chatcmpl-bench-${at}`, object: 'chat.completion.chunk', created: 0, model, choices: [{ index: 0, ...choice }], ...(usage && { usage }) })}\n\n`
}
