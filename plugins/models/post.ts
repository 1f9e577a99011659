/**
 * One POST and its answer, by Node's own client. The web's `fetch` takes twice the processor time for a stream of small
 * pieces, so only what a provider package has to see is made into its `Response`. It fails in `fetch`'s words, which the
 * packages understand, follows no redirect, and asks for an answer that is not compressed.
 */
import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestSecure } from 'node:https'

/** An error's body: enough for every vendor's sentence, and no more time than a person would wait for it. */
const ERROR_BYTES = 64 * 1024
const ERROR_MS = 5_000
/** The standard of `fetch` allows these no body, not even an empty one. */
const WITHOUT_BODY = [204, 205, 304]

export interface Posted {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Aborting it ends the request, and the answer that has begun. */
  readonly signal: AbortSignal
}

/** Resolves when the answer's head has come. Rejects with a `TypeError` that has the reason as its cause. */
export function post(url: string, { headers, body, signal }: Posted): Promise<IncomingMessage> {
  const address = new URL(url)
  const request = address.protocol === 'https:' ? requestSecure : requestPlain
  const head = { accept: '*/*', ...headers, 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const sent = request(address, { method: 'POST', headers: head }, (answer) => resolve(answer.on('error', ignored)))
    // Node's own `signal` destroys with an error, which nobody hears once the whole answer has come and is not yet read.
    signal.addEventListener('abort', () => sent.destroy(), { once: true })
    sent.on('error', (cause) => reject(new TypeError('fetch failed', { cause }))).end(body)
  })
}

/** Whoever reads an answer is told by the read; one that breaks when nobody does must not end the process. */
function ignored(): void {}

export function statusOf({ statusCode }: IncomingMessage): number {
  // An answer, other than a request, has one.
  return statusCode ?? 0
}

/** The answer as a provider package wants it, with this as its body. */
export function responseTo(answer: IncomingMessage, body: ReadableStream<Uint8Array> | Buffer<ArrayBuffer>): Response {
  const status = statusOf(answer)
  const headers = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) => values.map((value) => [name, value] as [string, string]))
  return new Response(WITHOUT_BODY.includes(status) ? null : body, { status, headers })
}

/** An answer with the beginning of its body, without waiting for the rest of it. */
export async function excerpt(answer: IncomingMessage): Promise<Response> {
  return responseTo(answer, await beginning(answer))
}

async function beginning(answer: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = []
  let size = 0
  const timer = setTimeout(() => void answer.destroy(), ERROR_MS)
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= ERROR_BYTES) break
    }
  } catch {
    // The status says enough: an error whose body was cut is still that error.
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks)
}
