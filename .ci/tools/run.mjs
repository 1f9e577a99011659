// Runs one of the checks in this folder on the repository, installing them first where they are not there yet:
// `node .ci/tools/run.mjs oxlint --deny-warnings`.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = join(here, 'node_modules', '.bin')
const [name, ...args] = process.argv.slice(2)

// Not `npm ci`: it insists on builds for other platforms that the lock file leaves out, because not every registry has them.
// An install beside a lock file keeps to its pins as well, and with `--no-save` writes nothing but the packages.
if (!existsSync(join(bin, name))) run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], here)
run(join(bin, name), args, root)

/** Ends this process with the command's exit code unless that is 0. */
function run(command, parameters, cwd) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, OXLINT_TSGOLINT_PATH: join(bin, 'tsgolint') }
  const { status, error } = spawnSync(command, parameters, { cwd, env, stdio: 'inherit', shell: process.platform === 'win32' })
  if (error) console.error(error.message)
  if (status !== 0) process.exit(status ?? 1)
}
