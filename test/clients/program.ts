/** Small programs of a client's user, run as they stand: text given to an interpreter, what it printed given back. */
import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CLIENT = fileURLToPath(new URL('../../clients/python', import.meta.url))
const STAND_INS = fileURLToPath(new URL('stand-in', import.meta.url))

const python = ['python3', 'python'].find((name) => spawnSync(name, ['-c', 'import sys; assert sys.version_info >= (3, 9)']).status === 0)

/** Why tests of the Python client cannot run here; false where they can. */
export const WITHOUT_PYTHON = python === undefined ? 'there is no Python 3.9 or newer here' : false

/** Runs a module of JavaScript from the root, where packages are found by their names. Rejects with what it complained of. */
export function runNode(program: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  return run(process.execPath, ['--input-type=module', '-e', program], env)
}

/** Runs Python that finds the client, and the stand-in for `requests`. Rejects with what it complained of. */
export function runPython(program: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  return run(python ?? 'python3', ['-c', program], { PYTHONPATH: `${CLIENT}:${STAND_INS}`, PYTHONDONTWRITEBYTECODE: '1', ...env })
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd: ROOT, env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env } }, (failed, printed, complained) => {
      if (failed) reject(new Error(`${command}: ${complained || failed.message}`))
      else resolve(printed)
    })
  })
}
