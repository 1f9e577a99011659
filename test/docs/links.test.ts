import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Where a reader finds pages. */
const PLACES = ['docs', 'plugins', 'plugin-api', 'kernel', 'sandbox']

interface Page {
  readonly file: string
  readonly text: string
}

function pages(): readonly Page[] {
  const below = PLACES.flatMap((place) =>
    readdirSync(join(ROOT, place), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/')),
  )
  const files = ['README.md', ...below.filter((file) => !file.includes('node_modules/'))]
  return files.map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }))
}

const LINK = /(?<!!)\[[^\]]*\]\((?<target>[^)\s]+)\)/g
const PAGES = pages()

/** The links of a page that lead to nothing. */
function broken({ file, text }: Page): readonly string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '')
  return [...prose.matchAll(LINK)].flatMap(({ groups }) => {
    const target = groups?.['target'] ?? ''
    if (/^[a-z]+:/.test(target)) return []
    const [path = '', anchor] = target.split('#')
    const leadsTo = path === '' ? join(ROOT, file) : resolve(ROOT, dirname(file), path)
    if (!existsSync(leadsTo)) return [`${file} links to ${target}`]
    return anchor === undefined || anchorsOf(readFileSync(leadsTo, 'utf8')).includes(anchor) ? [] : [`${file} links to ${target}, which has no such heading`]
  })
}

/** Headings by the names that readers' programs give them. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (?<heading>.+)$/gm)].map(({ groups }) =>
    (groups?.['heading'] ?? '').toLowerCase().replaceAll(/[^\p{L}\p{N} -]/gu, '').replaceAll(' ', '-'),
  )
}

describe('the documentation', () => {
  it('has pages and links in it', () => {
    assert.ok(PAGES.length > 20, `${PAGES.length} pages`)
    assert.ok(PAGES.flatMap(({ text }) => [...text.matchAll(LINK)]).length > 50)
  })

  it('has no link that leads to nothing', () => {
    assert.deepEqual(PAGES.flatMap(broken), [])
  })

  it('sees a link that leads to nothing', () => {
    assert.deepEqual(broken({ file: 'docs/README.md', text: '[there](nowhere.md)' }), ['docs/README.md links to nowhere.md'])
    assert.equal(broken({ file: 'docs/README.md', text: '[there](security.md#nowhere)' }).length, 1)
  })

  it('is found from its map, every page of it', () => {
    const map = readFileSync(join(ROOT, 'docs/README.md'), 'utf8') + readFileSync(join(ROOT, 'docs/decisions/README.md'), 'utf8')
    const own = PAGES.map(({ file }) => file).filter((file) => file.startsWith('docs/') && !file.endsWith('README.md'))
    assert.deepEqual(own.filter((file) => !map.includes(file.replace(/^docs\/(?:decisions\/)?/, ''))), [])
  })

  it('names no npm script that is not there', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Readonly<Record<string, string>> }
    const named = PAGES.flatMap(({ file, text }) => [...text.matchAll(/npm run (?:--silent )?(?<name>[a-z][\w:-]*)/g)].map(({ groups }) => ({ file, name: groups?.['name'] ?? '' })))
    assert.ok(named.length > 0)
    assert.deepEqual(named.filter(({ name }) => manifest.scripts[name] === undefined), [])
  })
})
