// Runs every test of the repository with Node's own test runner. `npm test -- PATTERN...` runs some of them, and
// `npm test -- --coverage` prints what the tests reach. Exits as the runner does.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const EVERYTHING = ['test/**/*.test.ts', 'plugins/*/test/**/*.test.ts']
/** Not ours to cover: the tests themselves, and what they are made of. */
const NOT_COVERED = ['test/**', 'plugins/*/test/**', 'fixtures/**', 'node_modules/**']
/** A test that waits this long for anything hangs. */
const TIMEOUT_MS = 120_000

const args = process.argv.slice(2)
const coverage = args.includes('--coverage')
const patterns = args.filter((one) => !one.startsWith('--'))

const command = [
  '--import',
  new URL('../kernel/quickened.mjs', import.meta.url).href,
  '--test',
  '--test-reporter=spec',
  `--test-timeout=${TIMEOUT_MS}`,
  ...(coverage ? ['--experimental-test-coverage', ...NOT_COVERED.map((glob) => `--test-coverage-exclude=${glob}`)] : []),
  ...(patterns.length > 0 ? patterns : EVERYTHING),
]
const { NODE_OPTIONS: _, ...env } = process.env
// What comes out of V8's code cache is not counted function by function (Node's documentation of the module compile cache).
const counted = coverage ? { NODE_DISABLE_COMPILE_CACHE: '1' } : {}
const child = spawn(process.execPath, command, { cwd: root, stdio: 'inherit', env: { ...env, ...counted } })
child.on('exit', (code) => process.exit(code ?? 1))
