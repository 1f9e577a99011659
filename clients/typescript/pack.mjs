/**
 * Makes the package that programs install: JavaScript for Node 20 and browsers, with its types, which no runtime strips below
 * `node_modules`. This repository itself needs none of it. `node clients/typescript/pack.mjs [folder]`; the folder is `dist` unless said.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

const source = import.meta.dirname
const target = resolve(process.argv[2] ?? join(source, 'dist'))
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc')
const emitting = ['--noEmit', 'false', '--declaration', '--rewriteRelativeImportExtensions', '--rootDir', source, '--outDir', target]

rmSync(target, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [tsc, '-p', join(source, 'tsconfig.json'), ...emitting], { stdio: 'inherit' })
if (status === 0) {
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  const entry = { types: './index.d.ts', default: './index.js' }
  writeFileSync(join(target, 'package.json'), `${JSON.stringify({ ...manifest, exports: { '.': entry } }, null, 2)}\n`)
  writeFileSync(join(target, 'README.md'), readFileSync(join(source, 'README.md')))
  console.log(target)
}
process.exitCode = status ?? 1
