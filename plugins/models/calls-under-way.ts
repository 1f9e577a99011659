/**
 * The tool calls of a streamed chat completion, put together from their pieces. The API numbers calls and names each once;
 * the servers that imitate it number every call 0, leave numbers or ids out, repeat the name with every piece, or send it
 * after the arguments have begun. Which call a piece belongs to is decided here, and nothing else.
 */
import type { Piece } from './piece.ts'

/** A piece as it comes over the wire. Nobody has looked at its types yet. */
export interface CallDelta {
  readonly index?: unknown
  readonly id?: unknown
  readonly function?: { readonly name?: unknown; readonly arguments?: unknown } | null
}

interface Call {
  readonly index: unknown
  id: string
  name: string
  input: string
  /** The arguments so far end like an object. */
  isClosed: boolean
}

interface Piecemeal {
  readonly index: unknown
  readonly id: string
  readonly name: string
  readonly input: string
}

export class CallsUnderWay {
  readonly #calls: Call[] = []

  /** Throws an `Error` for what is no piece of a call. Answers what its growth is counted by. */
  take(delta: CallDelta): readonly Piece[] {
    const piece = pieceOf(delta)
    const known = this.#continued(piece)
    const call = known ?? { index: piece.index, id: '', name: '', input: '', isClosed: false }
    if (!known) this.#calls.push(call)
    call.id ||= piece.id
    call.name ||= piece.name
    if (piece.input !== '') {
      call.input += piece.input
      call.isClosed = piece.input.trimEnd().endsWith('}')
    }
    const grown: Piece = { type: 'tool-input-delta', delta: piece.input }
    return known ? [grown] : [{ type: 'tool-input-start' }, grown]
  }

  /** The calls as they stand when the stream has ended. Throws an `Error` where one was never named. */
  end(): readonly Piece[] {
    return this.#calls.map(({ id, name, input }) => {
      if (name === '') throw new Error('A tool call has no name')
      return { type: 'tool-call', toolCallId: id, toolName: name, input }
    })
  }

  /**
   * The call a piece goes on with; undefined where it begins one. Only a piece
   * with a name can begin one where another is found.
   */
  #continued(piece: Piecemeal): Call | undefined {
    const call = this.#found(piece)
    if (!call || piece.name === '') return call
    const isAnother = piece.id !== '' && call.id !== '' && piece.id !== call.id
    // Between the end of an object and the beginning of one nothing goes on.
    const isAgain = call.isClosed && piece.input.trimStart().startsWith('{')
    return isAnother || isAgain ? undefined : call
  }

  #found({ index, id, name }: Piecemeal): Call | undefined {
    if (index !== undefined) return this.#calls.findLast((call) => call.index === index)
    if (id !== '') return this.#calls.findLast((call) => call.id === id)
    return name === '' ? this.#calls.at(-1) : undefined
  }
}

function pieceOf({ index, id, function: called }: CallDelta): Piecemeal {
  return { index: index ?? undefined, id: textOf(id).trim(), name: textOf(called?.name).trim(), input: textOf(called?.arguments) }
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw new Error('A piece of a tool call is no text')
  return value
}
