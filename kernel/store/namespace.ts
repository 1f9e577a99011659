/**
 * The store as one plugin sees it: its own namespace and nothing else. What is asked is checked and put into JSON text
 * here, before it leaves the caller's hands, so that a mistake is the caller's own clear error; what comes back is read from
 * text again. Every driver is the same behind it, and only answers questions.
 */
import { RpcError } from '@isopod/plugin-api'
import type { Document, Entry, Json, ListQuery, ReadQuery, Store, Write, Written } from '@isopod/plugin-api'
import type { Clock } from '../clock.ts'
import { NAME_LENGTH, PAGE_ROWS, PAGE_ROWS_MAX, STEPS_PER_WRITE, VALUE_LENGTH, WRITE_LENGTH } from './bounds.ts'
import { encode } from './json.ts'
import { ANY_VERSION, type Ask, type DocumentRow, type EntryRow, type Step } from './message.ts'

/** The store of one namespace over a driver. Throws `invalid_request` for a namespace without a proper name. */
export function openNamespace(id: string, ask: Ask, clock: Clock): Store {
  const namespace = name(id, 'namespace')
  return Object.freeze<Store>({
    async get<Value extends Json>(collection: string, key: string) {
      const row = await ask({ kind: 'get', namespace, collection: name(collection, 'collection'), key: name(key, 'key') })
      return row === null ? undefined : document<Value>(row)
    },
    async list<Value extends Json>(collection: string, query: ListQuery = {}) {
      const cut = { prefix: part(query.prefix, 'prefix'), after: part(query.after, 'after'), limit: limit(query.limit) }
      const rows = await ask({ kind: 'list', namespace, collection: name(collection, 'collection'), ...cut })
      return rows.map(document<Value>)
    },
    async read<Value extends Json>(stream: string, query: ReadQuery = {}) {
      const after = position(query.after, 'after', 0)
      const before = position(query.before, 'before', Number.MAX_SAFE_INTEGER)
      const cut = { after, before, newest: query.newest === true, limit: limit(query.limit) }
      const rows = await ask({ kind: 'read', namespace, stream: name(stream, 'stream'), ...cut })
      return rows.map(entry<Value>)
    },
    async write(writes: readonly Write[]): Promise<Written> {
      const steps = toSteps(writes)
      if (steps.length === 0) return []
      return ask({ kind: 'write', namespace, at: Math.round(clock.now()), length: length(steps), steps })
    },
  })
}

function toSteps(writes: readonly Write[]): Step[] {
  if (!Array.isArray(writes)) refuse('writes', 'it must be a list of writes')
  if (writes.length > STEPS_PER_WRITE)
    refuse('writes', `a transaction has at most ${STEPS_PER_WRITE} writes, and this one has ${writes.length}`)
  return writes.map((write, at) => toStep(write, `writes[${at}]`))
}

function toStep(write: Write, place: string): Step {
  if (typeof write !== 'object' || write === null) return refuse(place, 'it must be an object')
  if ('put' in write) {
    const target = { collection: name(write.put, `${place}.put`), key: name(write.key, `${place}.key`) }
    return { kind: 'put', ...target, value: value(write.value, place), ifVersion: version(write, place) }
  }
  if ('remove' in write) {
    const collection = name(write.remove, `${place}.remove`)
    return { kind: 'remove', collection, key: name(write.key, `${place}.key`), ifVersion: version(write, place) }
  }
  if ('append' in write) return { kind: 'append', stream: name(write.append, `${place}.append`), value: value(write.value, place) }
  if ('drop' in write) return { kind: 'drop', stream: name(write.drop, `${place}.drop`) }
  return refuse(place, 'it must have one of `put`, `remove`, `append` or `drop`')
}

/** A lone half of a surrogate pair would be stored as another character, and two names could become one. */
function name(given: unknown, place: string): string {
  if (typeof given !== 'string') return refuse(place, 'it must be a text')
  if (given.length < 1 || given.length > NAME_LENGTH)
    return refuse(place, `it must have 1 to ${NAME_LENGTH} characters, and has ${given.length}`)
  if (!given.isWellFormed() || given.includes('\0')) return refuse(place, 'it must be well-formed Unicode without the character NUL')
  return given
}

/** A prefix of names, or a name to go on after: like a name, but it may be absent or empty. */
function part(given: unknown, place: string): string {
  return given === undefined || given === '' ? '' : name(given, place)
}

function value(given: unknown, place: string): string {
  const text = encode(given, `${place}.value`)
  if (text.length > VALUE_LENGTH)
    tooLarge(`${place}.value`, `a value has at most ${VALUE_LENGTH} characters as JSON, and this one has ${text.length}`)
  return text
}

function version(write: { readonly ifVersion?: number }, place: string): number {
  return position(write.ifVersion, `${place}.ifVersion`, ANY_VERSION)
}

function position(given: unknown, place: string, otherwise: number): number {
  if (given === undefined) return otherwise
  if (typeof given !== 'number' || !Number.isSafeInteger(given) || given < 0) return refuse(place, 'it must be a whole number from 0')
  return given
}

function limit(given: unknown): number {
  if (given === undefined) return PAGE_ROWS
  const fits = typeof given === 'number' && Number.isInteger(given) && given >= 1 && given <= PAGE_ROWS_MAX
  return fits ? given : refuse('limit', `it must be a whole number from 1 to ${PAGE_ROWS_MAX}`)
}

function length(steps: readonly Step[]): number {
  const total = steps.reduce((sum, step) => sum + ('value' in step ? step.value.length : 0), 0)
  if (total > WRITE_LENGTH)
    tooLarge('writes', `a transaction has at most ${WRITE_LENGTH} characters of JSON, and this one has ${total}`)
  return total
}

function tooLarge(place: string, why: string): never {
  throw new RpcError('payload_too_large', `${place}: ${why}`, { param: place })
}

function refuse(place: string, why: string): never {
  throw new RpcError('invalid_request', `${place}: ${why}`, { param: place })
}

/** What was written under a type is read under it: the cast hands the caller's own claim back to the caller. */
function document<Value extends Json>(row: DocumentRow): Document<Value> {
  return { key: row.key, value: JSON.parse(row.value) as Value, version: row.version }
}

function entry<Value extends Json>(row: EntryRow): Entry<Value> {
  return { seq: row.seq, at: row.at, value: JSON.parse(row.value) as Value }
}
