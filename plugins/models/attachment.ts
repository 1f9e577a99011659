/**
 * A picture or a file of a message, as the provider packages want it. Nothing is fetched here: an address is passed on and
 * the provider fetches it, so a message can never make the gateway call somebody. Text files become text, which every model
 * reads.
 */
import { RpcError, type Part } from '@isopod/plugin-api'
import type { SdkFilePart, SdkUserPart } from './sdk.ts'

type Attachment = Extract<Part, { readonly type: 'image' | 'file' }>

interface Content {
  /** Base64. */
  readonly data: string
  readonly mimeType: string | undefined
}

/** Throws `invalid_request` for an attachment without content, or with an address nobody could fetch. */
export function attachment(part: Attachment): SdkUserPart {
  const content = contentOf(part)
  const mimeType = part.mimeType ?? content?.mimeType ?? (part.type === 'image' ? 'image' : 'application/octet-stream')
  const name = part.type === 'file' ? part.name : undefined
  if (content && isText(mimeType)) return { type: 'text', text: asText(content.data, name) }
  const data: SdkFilePart['data'] = content ? { type: 'data', data: content.data } : { type: 'url', url: addressOf(part) }
  return { type: 'file', mediaType: mimeType, data, ...(name !== undefined && { filename: name }) }
}

/** What the part itself carries, be it as data or as a `data:` address. */
function contentOf({ data, url, mimeType }: Attachment): Content | undefined {
  if (data !== undefined) return { data: base64(data), mimeType }
  if (!url?.startsWith('data:')) return undefined
  const comma = url.indexOf(',')
  const head = url.slice('data:'.length, comma)
  if (comma < 0 || !head.endsWith(';base64')) throw refused('A data: address must be base64: data:<type>;base64,<content>')
  return { data: base64(url.slice(comma + 1)), mimeType: head.slice(0, head.indexOf(';')) || undefined }
}

function base64(text: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw refused('The content of a picture or file must be base64, without line breaks')
  return text
}

function addressOf({ url, type }: Attachment): URL {
  const address = url === undefined ? null : URL.parse(url)
  if (address && /^https?:$/.test(address.protocol)) return address
  throw refused(`A part of type ${type} needs data, or a url that begins with http:// or https://`)
}

function isText(mimeType: string): boolean {
  return mimeType.startsWith('text/') || mimeType === 'application/json'
}

function asText(data: string, name: string | undefined): string {
  return `${name === undefined ? 'An attached file' : `The attached file ${name}`}:\n${Buffer.from(data, 'base64').toString('utf8')}`
}

function refused(message: string): RpcError {
  return new RpcError('invalid_request', message, { param: 'messages' })
}
