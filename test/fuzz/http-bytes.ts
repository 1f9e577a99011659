/** An HTTP/1.1 response, read strictly from the bytes that came: whether it is whole, and what it says. */

export interface Response {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** Where the head of a message ends, behind its empty line; undefined where it has not come. */
export function endOfHead(bytes: Buffer): number | undefined {
  const at = bytes.indexOf('\r\n\r\n')
  return at === -1 ? undefined : at + 4
}

/**
 * The first final response in the bytes; undefined where more of it is to come. `over` says that nothing more comes, which ends a
 * body without a length.
 * @throws Error where it is no response.
 */
export function readResponse(bytes: Buffer, isHead: boolean, over: boolean): Response | undefined {
  const end = endOfHead(bytes)
  if (end === undefined) return undefined
  const [line = '', ...fields] = bytes.subarray(0, end - 4).toString('latin1').split('\r\n')
  const status = Number(/^HTTP\/1\.1 ([1-5]\d\d)(?: |$)/.exec(line)?.[1])
  if (Number.isNaN(status)) throw new Error(`this is no status line: ${line.slice(0, 200)}`)
  const rest = bytes.subarray(end)
  if (status < 200 && status !== 101) return readResponse(rest, isHead, over)
  const headers = new Map(fields.map((field) => headerOf(field)))
  if (isHead || status === 101 || status === 204 || status === 304) return { status, headers, body: Buffer.alloc(0) }
  const body = bodyIn(rest, headers, over)
  return body && { status, headers, body }
}

function headerOf(field: string): [string, string] {
  const at = field.indexOf(':')
  if (at < 1) throw new Error(`this is no header: ${field.slice(0, 200)}`)
  return [field.slice(0, at).toLowerCase(), field.slice(at + 1).trim()]
}

function bodyIn(rest: Buffer, headers: ReadonlyMap<string, string>, over: boolean): Buffer | undefined {
  if (headers.get('transfer-encoding') === 'chunked') return dechunked(rest)
  const length = headers.get('content-length')
  if (length === undefined) return over ? rest : undefined
  return rest.length < Number(length) ? undefined : rest.subarray(0, Number(length))
}

function dechunked(rest: Buffer): Buffer | undefined {
  const pieces: Buffer[] = []
  for (let at = 0; ;) {
    const lineEnd = rest.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(rest.subarray(at, lineEnd).toString('latin1'), 16)
    if (Number.isNaN(size)) throw new Error('a chunk begins without a size')
    const end = lineEnd + 2 + size
    if (rest.length < end + 2) return undefined
    if (size === 0) return Buffer.concat(pieces)
    pieces.push(rest.subarray(lineEnd + 2, end))
    at = end + 2
  }
}

/** A body in chunks of these sizes, round and round. */
export function chunked(body: Buffer, sizes: readonly number[]): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < body.length; turn++) {
    const piece = body.subarray(at, at + Math.max(1, sizes[turn % sizes.length] ?? body.length))
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'))
    at += piece.length
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')])
}
