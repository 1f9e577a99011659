import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
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
