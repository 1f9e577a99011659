/**
 * HTTP replies as a client reads them, one at a time on a kept connection: by their length, or chunk by chunk. It finds where
 * a reply ends, and gives its body only to whoever asks; what is in it is not its business.
 */

const HEAD_END = Buffer.from('\r\n\r\n')

export interface Reply {
  readonly status: number
  readonly body: string
}

export class ReplyReader {
  #bytes: Buffer = Buffer.alloc(0)
  #status = 0
  /** Where the next part begins. */
  #at = 0
  /** Of the body, or NaN where it comes in chunks. */
  #length = NaN
  #pieces: string[] = []

  /** Takes what has come; answers the reply once it is whole. */
  take(chunk: Buffer): Reply | undefined {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    if (this.#status === 0 && !this.#readHead()) return undefined
    return Number.isNaN(this.#length) ? this.#chunked() : this.#whole()
  }

  #readHead(): boolean {
    const end = this.#bytes.indexOf(HEAD_END)
    if (end < 0) return false
    const head = this.#bytes.toString('latin1', 0, end)
    this.#status = Number(head.slice(9, 12))
    this.#length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? NaN)
    this.#at = end + HEAD_END.length
    return true
  }

  #whole(): Reply | undefined {
    const end = this.#at + this.#length
    return this.#bytes.length < end ? undefined : this.#ended(this.#bytes.toString('utf8', this.#at, end), end)
  }

  #chunked(): Reply | undefined {
    for (;;) {
      const line = this.#bytes.indexOf('\r\n', this.#at)
      if (line < 0) return undefined
      const size = Number.parseInt(this.#bytes.toString('latin1', this.#at, line), 16)
      const end = line + 2 + size
      if (this.#bytes.length < end + 2) return undefined
      if (size === 0) return this.#ended(this.#pieces.join(''), end + 2)
      this.#pieces.push(this.#bytes.toString('utf8', line + 2, end))
      this.#at = end + 2
    }
  }

  #ended(body: string, end: number): Reply {
    const status = this.#status
    this.#bytes = this.#bytes.subarray(end)
    this.#status = 0
    this.#at = 0
    this.#length = NaN
    this.#pieces = []
    return { status, body }
  }
}
