/**
 * The gateway's sources as a clean clone has them: a copy without tests, without anything generated, whose packages are those
 * of this repository. Its caches are its own, so a start can be made cold, and nothing that is edited meanwhile gets in.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const COPIED = ['package.json', 'kernel', 'plugin-api', 'plugins', 'sandbox']
const LEFT_OUT = new Set(['node_modules', 'test', 'testing', 'dist'])
const OURS = '@isopod'

export class Tree {
  readonly path = mkdtempSync(join(tmpdir(), 'isopod-bench-tree-'))
  /** What `npm start` runs, without the `node` it begins with; npm itself takes a quarter of a second before it. */
  readonly startArguments = startArguments()

  constructor() {
    for (const name of COPIED) {
      cpSync(join(ROOT, name), join(this.path, name), { recursive: true, filter: (source) => !LEFT_OUT.has(basename(source)) })
    }
    const packages = join(this.path, 'node_modules')
    mkdirSync(join(packages, OURS), { recursive: true })
    for (const name of readdirSync(join(ROOT, 'node_modules'))) {
      if (name !== OURS && !name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(packages, name))
    }
    symlinkSync(join(this.path, 'plugin-api'), join(packages, OURS, 'plugin-api'))
    symlinkSync(join(this.path, 'sandbox'), join(packages, OURS, 'sandbox'))
    symlinkSync(join(this.path, 'kernel'), join(packages, OURS, 'kernel'))
  }

  /** Forgets what earlier starts have kept. */
  chill(): void {
    rmSync(join(this.path, 'node_modules/.cache'), { recursive: true, force: true })
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

function startArguments(): readonly string[] {
  // Our own manifest, which has this script.
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly scripts: { readonly start: string } }
  const [program, ...args] = scripts.start.split(' ')
  if (program !== 'node') throw new Error(`npm start is expected to run node, and it runs ${program}`)
  return args
}
