/**
 * The content of a message: one text, or a list of parts. Pictures and files
 * come as `data:` URLs or, pictures, as https URLs.
 */
import { wrongParam } from '@isopod/plugin-api'
import type { JsonObject, Part } from '@isopod/plugin-api'
import { bounded, isAbsent, isList, object, oneOf, optional, text, type Value } from './field.ts'
import { embedded } from './data-url.ts'

type TextPart = Extract<Part, { type: 'text' }>

/** A longer address is none that any server would take. */
const URL_LENGTH = 8_192

const SOUNDS = { wav: 'audio/wav', mp3: 'audio/mpeg' } as const

/** What a user may say. */
export function partsOf(value: Value, path: string): readonly Part[] {
  return contentOf(value, path, partOf)
}

/** What everybody else may say: text. */
export function textPartsOf(value: Value, path: string): readonly TextPart[] {
  return contentOf(value, path, textPartOf)
}

function contentOf<Kind>(value: Value, path: string, read: (value: Value, path: string) => Kind): readonly (Kind | TextPart)[] {
  if (typeof value === 'string') return [{ type: 'text', text: value }]
  if (value === undefined) throw wrongParam(path, 'is required')
  if (!isList(value)) throw wrongParam(path, 'must be text or a list of parts')
  if (value.length === 0) throw wrongParam(path, 'must hold at least one part')
  return value.map((item, index) => read(item, `${path}[${index}]`))
}

function textPartOf(value: Value, path: string): TextPart {
  const part = object(value, path)
  const type = oneOf(['text', 'refusal'])(part['type'], `${path}.type`)
  return { type: 'text', text: text(part[type], `${path}.${type}`) }
}

function partOf(value: Value, path: string): Part {
  const part = object(value, path)
  const type = oneOf(['text', 'image_url', 'file', 'input_audio'])(part['type'], `${path}.type`)
  const at = `${path}.${type}`
  if (type === 'text') return { type, text: text(part[type], at) }
  const own = object(part[type], at)
  if (type === 'image_url') return imageOf(own, at)
  return type === 'file' ? fileOf(own, at) : soundOf(own, at)
}

function imageOf(own: JsonObject, path: string): Part {
  const at = `${path}.url`
  const url = text(own['url'], at)
  if (url.startsWith('https://') && url.length <= URL_LENGTH && URL.canParse(url)) return { type: 'image', url }
  const { data, mimeType } = embedded(url, at, 'an https URL or a data: URL such as data:image/png;base64,...')
  if (!mimeType.startsWith('image/')) throw wrongParam(at, `must be a picture, not ${mimeType}`)
  return { type: 'image', data, mimeType }
}

function fileOf(own: JsonObject, path: string): Part {
  const at = `${path}.file_data`
  if (!isAbsent(own['file_id'])) throw wrongParam(`${path}.file_id`, 'is not kept here; send the file itself as file_data')
  const { data, mimeType } = embedded(text(own['file_data'], at), at, 'a data: URL such as data:application/pdf;base64,...')
  const name = optional(own['filename'], `${path}.filename`, bounded(256))
  return { type: 'file', data, mimeType, ...(name !== undefined && { name }) }
}

function soundOf(own: JsonObject, path: string): Part {
  const format = oneOf(['wav', 'mp3'])(own['format'], `${path}.format`)
  return { type: 'file', data: text(own['data'], `${path}.data`), mimeType: SOUNDS[format] }
}
