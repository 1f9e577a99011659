/** A page for authors, as the files it shows: a fenced block whose opening names a file is that file, word for word. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'

const DOCS = new URL('../../docs/', import.meta.url)
const FILE = /^```\w+ (?<path>\S+)\n(?<text>[\s\S]*?)^```$/gm

/** Its files by their paths. */
export async function filesOf(page: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(new URL(page, DOCS), 'utf8')
  return new Map([...text.matchAll(FILE)].map(({ groups }) => [groups?.['path'] ?? '', groups?.['text'] ?? '']))
}

/** A folder outside of the repository that holds the files of a page for as long as the test runs. */
export async function folderWith(files: ReadonlyMap<string, string>, test: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'isopod-page-'))
  test.after(() => rm(folder, { recursive: true, force: true }))
  for (const [path, text] of files) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  return folder
}
