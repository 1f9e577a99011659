// Makes the TypeScript sources load as quickly as if they had been built: each file's types are stripped once and the text
// kept, by the file's time and size, and V8's compiled code is kept beside it. It also lets a plugin in a folder outside
// this repository find the plugin API. Without a place to write, everything works as before, only slower.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import module from 'node:module'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { threadId } from 'node:worker_threads'

/** The packages an author may import by name wherever the plugin lives. */
const API = /^@isopod\/(?:plugin-api|testing)$/
/** When the kept text is written, after the start has had the processor to itself. */
const WRITE_AFTER_MS = 3_000

export function quicken() {
  const folder = fileURLToPath(new URL('../node_modules/.cache/isopod/', import.meta.url))
  const kept = new KeptText(join(folder, `stripped-${process.version}.kept`))
  module.enableCompileCache?.(join(folder, 'compiled'))
  silence('stripTypeScriptTypes is an experimental feature')
  module.registerHooks({
    resolve(specifier, context, next) {
      // A plugin elsewhere has no node_modules of ours above it: it is given the API as if it were imported from here.
      return API.test(specifier) ? next(specifier, { ...context, parentURL: import.meta.url }) : next(specifier, context)
    },
    load(url, context, next) {
      if (!url.startsWith('file:') || !url.split('?')[0].endsWith('.ts')) return next(url, context)
      return { format: 'module', source: kept.stripped(fileURLToPath(url)), shortCircuit: true }
    },
  })
}

/**
 * Stripped text by file, in one file of its own: a line of JSON that says where each text lies, and the texts. It is read whole
 * at the start and only what is asked for becomes strings: parsed as JSON it would stay 4 MB larger, in each thread.
 */
class KeptText {
  #file
  #kept
  /** What was stripped since the file was read. */
  #fresh = new Map()

  constructor(file) {
    this.#file = file
    setTimeout(() => this.#settle(), WRITE_AFTER_MS).unref()
    process.once('exit', () => this.#settle())
  }

  stripped(path) {
    const { mtimeMs, size } = statSync(path)
    this.#kept ??= readKept(this.#file)
    const known = this.#fresh.get(path) ?? this.#kept.find(path)
    if (known && known.mtimeMs === mtimeMs && known.size === size) return known.text
    const text = strip(path)
    this.#fresh.set(path, { mtimeMs, size, text })
    return text
  }

  /** Writes what is new and lets go of what was read; who is loaded later reads it again. */
  #settle() {
    this.#kept = undefined
    if (this.#fresh.size === 0) return
    try {
      mkdirSync(join(this.#file, '..'), { recursive: true })
      const whole = `${this.#file}.${process.pid}.${threadId}`
      // Threads and other processes keep theirs in the same file.
      writeFileSync(whole, withTexts(readKept(this.#file), this.#fresh))
      renameSync(whole, this.#file)
      this.#fresh.clear()
    } catch {
      // A read-only installation: the next start strips again.
    }
  }
}

/** Node tells the line of a mistake only on top of the stack, and the file nowhere. */
function strip(path) {
  try {
    return module.stripTypeScriptTypes(readFileSync(path, 'utf8'))
  } catch (error) {
    const [, line] = /^:(\d+)\n/.exec(error.stack) ?? []
    if (line === undefined) throw error
    error.stack = `${path}${error.stack}`
    error.message = `${basename(path)}:${line}: ${error.message}`
    throw error
  }
}

const NOTHING_KEPT = { all: () => [], find: () => undefined }

/** What the file holds, each text read when it is asked for. Nothing, where there is no such file or it is none of ours. */
function readKept(file) {
  try {
    const bytes = readFileSync(file)
    const end = bytes.indexOf('\n')
    const places = JSON.parse(bytes.toString('utf8', 0, end))
    const entry = ({ mtimeMs, size, from, to }) => ({ mtimeMs, size, text: bytes.toString('utf8', end + 1 + from, end + 1 + to) })
    return {
      find: (path) => (Object.hasOwn(places, path) ? entry(places[path]) : undefined),
      all: () => Object.entries(places).map(([path, place]) => [path, entry(place)]),
    }
  } catch {
    return NOTHING_KEPT
  }
}

/** The whole file anew; what is gone from the disk is left out. */
function withTexts(kept, fresh) {
  const places = {}
  const texts = []
  let from = 0
  for (const [path, { mtimeMs, size, text }] of new Map([...kept.all(), ...fresh])) {
    if (!existsSync(path)) continue
    const bytes = Buffer.from(text)
    places[path] = { mtimeMs, size, from, to: (from += bytes.length) }
    texts.push(bytes)
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify(places)}\n`), ...texts])
}

/** Drops one warning that is about our own choice and that its reader could do nothing about. */
function silence(opening) {
  const emit = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).startsWith(opening)) emit.call(process, warning, ...rest)
  }
}
