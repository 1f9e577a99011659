#!/usr/bin/env node
// The first file that runs, in plain JavaScript that any Node from 20 on can read. It finds a Node that can run the rest (the
// one this package brought along, if the one that was called cannot), and makes the sources quick to load: their types are
// stripped once and kept, what V8 compiled is kept too, and nothing is optimised before it runs. Then it hands over to the
// command line.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [major, minor] = process.versions.node.split('.').map(Number)

if (isGoodEnough(major, minor)) {
  const { startWithoutOptimizing } = await import('../tiering.mjs')
  const optimize = startWithoutOptimizing()
  const { quicken } = await import('../quicken.mjs')
  quicken()
  const { runCommandLine } = await import('./command-line.ts')
  // It has run when the command is done, or when the gateway listens.
  await runCommandLine(process.argv.slice(2))
  optimize()
  const { dropLeftoversSoon } = await import('../leftovers.mjs')
  dropLeftoversSoon()
} else {
  await handOver(broughtNode())
}

/** 22.18 is the first Node that strips types unasked; past 24 nothing here has been tried. */
function isGoodEnough(major, minor) {
  return (major === 22 && minor >= 18) || major === 23 || major === 24
}

/** The Node that was installed with this package for this platform. */
function broughtNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const file = process.platform === 'win32' ? 'node.exe' : 'node'
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-${platform}-${process.arch}/package.json`)
    const node = join(dirname(manifest), 'bin', file)
    if (existsSync(node)) return node
  } catch {
    // Not installed: said below.
  }
  const found = `this is ${process.version}, and none was installed for ${platform}-${process.arch}`
  console.error(`Isopod needs Node 22.18 to 24; ${found}. Install Node 22 and try again.`)
  process.exit(1)
}

/** Runs the same command there; this process only passes signals and the exit code on. */
async function handOver(node) {
  const { spawn } = await import('node:child_process')
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal) process.kill(process.pid, signal)
    else process.exit(code ?? 1)
  })
}
