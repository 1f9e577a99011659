import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('../../kernel/cli/launcher.mjs', import.meta.url))

/** What a command line that starts nothing says, and its exit code. */
function said(...args: readonly string[]): { readonly text: string; readonly code: number | null } {
  const { stderr, status } = spawnSync(process.execPath, [LAUNCHER, ...args], { encoding: 'utf8', timeout: 20_000 })
  return { text: stderr.trim(), code: status }
}

test('a misspelt command is told the nearest one, and nothing is started', () => {
  assert.deepEqual(said('strat'), { text: "error: unknown command 'strat'\n(Did you mean start?)", code: 2 })
  assert.deepEqual(said('--port', '0', 'tokne', 'list'), { text: "error: unknown command 'tokne'\n(Did you mean token?)", code: 2 })
  assert.deepEqual(said('fly'), { text: "error: unknown command 'fly'", code: 2 })
  assert.deepEqual(said('start', 'now'), { text: "error: start takes no 'now'", code: 2 })
})

test('the list of tokens says what its columns are, beside the rows that a script reads', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'isopod-tokens-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const token = (...args: readonly string[]) => spawnSync(process.execPath, [LAUNCHER, 'token', ...args], { encoding: 'utf8', timeout: 20_000, env: { ...process.env, ISOPOD_HOME: home } })
  assert.deepEqual([token('list').stdout, token('list').stderr], ['', 'There are no tokens in this home. `token create NAME` makes one\n'])
  token('create', 'telephone', '--scopes', 'read')
  token('create', 'tv')
  const { stdout, stderr } = token('list')
  assert.equal(stderr, 'NAME       SCOPES      MADE\n')
  const rows = stdout.replaceAll(/\d{4}-\S+Z/g, '(time)').trim().split('\n').sort()
  assert.deepEqual(rows, ['telephone  read        (time)', 'tv         read,write  (time)'])
})
