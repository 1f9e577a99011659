/** A `data:` URL with base64 in it: how this API carries bytes. */
import { wrongParam } from '@isopod/plugin-api'

export interface Embedded {
  /** Base64. */
  readonly data: string
  readonly mimeType: string
}

/** Throws `invalid_request` where the text is no such URL; `wanted` completes the sentence "must be ...". */
export function embedded(url: string, path: string, wanted: string): Embedded {
  const comma = url.indexOf(',')
  if (!url.startsWith('data:') || comma === -1) throw wrongParam(path, `must be ${wanted}`)
  const [mimeType = '', ...options] = url.slice('data:'.length, comma).split(';')
  if (!mimeType.includes('/') || options.at(-1) !== 'base64') throw wrongParam(path, `must be ${wanted}`)
  const data = url.slice(comma + 1)
  // One search for what does not belong: it never goes back, however long the picture is.
  if (data === '' || /[^A-Za-z0-9+/=]/.test(data)) throw wrongParam(path, 'holds no base64 after its comma')
  return { data, mimeType: mimeType.toLowerCase() }
}
