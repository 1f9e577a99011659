// Makes the TypeScript sources load as quickly as if they had been built: each file's types are stripped once and the text
// kept, by the file's time and size, and V8's compiled code is kept beside it. It also lets a plugin in a folder outside
// this repository find the plugin API. Without a place to write, everything works as before, only slower.
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { threadId } from 'node:worker_threads'

/** The packages an author may import by name wherever the plugin lives. */
const API = /^@isopod\/(?:plugin-api|testing)$/
/** When the kept text is written, after the start has had the processor to itself. */
const WRITE_AFTER_MS = 3_000

export function quicken() {
  const folder = fileURLToPath(new URL('../node_modules/.cache/isopod/', import.meta.url))
  const kept = new KeptText(join(folder, `stripped-${process.version}.json`))
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

/** Stripped text by file, in one file of its own that is read whole at the start. */
class KeptText {
  #file
  #texts
  #changed = false

  constructor(file) {
    this.#file = file
    this.#texts = readJson(file)
    setTimeout(() => this.#write(), WRITE_AFTER_MS).unref()
    process.once('exit', () => this.#write())
  }

  stripped(path) {
    const { mtimeMs, size } = statSync(path)
    const known = this.#texts[path]
    if (known && known.mtimeMs === mtimeMs && known.size === size) return known.text
    const text = module.stripTypeScriptTypes(readFileSync(path, 'utf8'))
    this.#texts[path] = { mtimeMs, size, text }
    this.#changed = true
    return text
  }

  #write() {
    if (!this.#changed) return
    this.#changed = false
    try {
      mkdirSync(join(this.#file, '..'), { recursive: true })
      const whole = `${this.#file}.${process.pid}.${threadId}`
      // Threads and other processes keep theirs in the same file.
      writeFileSync(whole, JSON.stringify({ ...readJson(this.#file), ...this.#texts }))
      renameSync(whole, this.#file)
    } catch {
      // A read-only installation: the next start strips again.
    }
  }
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {}
  }
}

/** Drops one warning that is about our own choice and that its reader could do nothing about. */
function silence(opening) {
  const emit = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).startsWith(opening)) emit.call(process, warning, ...rest)
  }
}
