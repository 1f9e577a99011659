/** `text_count`: models see tokens, not letters, and count neither well. */
import type { TypedTool } from '@isopod/plugin-api'

/** Counting what people call characters takes some milliseconds for this much, and holds up everybody else meanwhile. */
const LONGEST = 20_000

const PARAMS = {
  type: 'object',
  required: ['text'],
  additionalProperties: false,
  properties: { text: { type: 'string', maxLength: LONGEST } },
} as const

export const textCount: TypedTool<typeof PARAMS> = {
  name: 'text_count',
  description: `Counts the characters, words and lines of a text of up to ${LONGEST} characters.`,
  effects: [],
  params: PARAMS,
  handle: ({ text }) => ({ characters: segments(text, 'grapheme').length, words: wordsOf(text), lines: linesOf(text) }),
}

/** By the rules of Unicode, so that a family of emoji is one character and Chinese has words. */
function segments(text: string, granularity: 'grapheme' | 'word'): Intl.SegmentData[] {
  return [...new Intl.Segmenter('en', { granularity }).segment(text)]
}

function wordsOf(text: string): number {
  return segments(text, 'word').filter(({ isWordLike }) => isWordLike).length
}

/** A line break at the end begins no further line. */
function linesOf(text: string): number {
  if (text === '') return 0
  return text.replace(/(?:\r\n|\r|\n)$/, '').split(/\r\n|\r|\n/).length
}
