/**
 * `npm run bench`: measures the gateway beside what it is made of, in one run, and prints each figure with its reference, their
 * ratio and the budget of the design, and keeps the same as JSON. Nothing is judged by its exit code: that is 0 unless the bench
 * itself fails.
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chatSection } from './chat-section.ts'
import { dialectSection } from './dialect-section.ts'
import type { Figure } from './figure.ts'
import { familySection } from './family-section.ts'
import { healthSection } from './health-section.ts'
import { memorySection } from './memory-section.ts'
import { rpcSection } from './rpc-section.ts'
import { openStage, QUICK, WHOLE, type Stage } from './stage.ts'
import { startSection } from './start-section.ts'
import { storeSection } from './store-section.ts'
import { table } from './table.ts'
import { SPARE_CORES } from './turns.ts'

const SECTIONS: Readonly<Record<string, (stage: Stage) => Promise<Figure[]>>> = {
  start: startSection,
  memory: memorySection,
  rpc: rpcSection,
  dialect: dialectSection,
  health: healthSection,
  family: familySection,
  chat: chatSection,
  store: storeSection,
}

const USAGE = `npm run bench -- [--quick] [--json FILE] [--only ${Object.keys(SECTIONS).join(',')}] [--profile FOLDER]
--json says where the figures go as JSON, \`-\` for standard output; without it, to a file in the folder for temporary files.`

const wanted = readArguments()
const began = performance.now()
const stage = await openStage(wanted.quick ? QUICK : WHOLE, wanted.profile)
const figures: Figure[] = []
try {
  for (const name of wanted.sections) {
    const since = performance.now()
    process.stderr.write(`measuring ${name} ... `)
    figures.push(...((await SECTIONS[name]?.(stage)) ?? []))
    process.stderr.write(`${seconds(since)} s\n`)
  }
} finally {
  await stage.close()
}
report()

function report(): void {
  const machine = { node: process.version, platform: `${process.platform}-${process.arch}`, cores: availableParallelism(), processor: cpus()[0]?.model ?? 'unknown' }
  const json = JSON.stringify({ at: new Date().toISOString(), quick: wanted.quick, machine, config: stage.config, figures }, undefined, 2)
  if (wanted.json === '-') return void process.stdout.write(`${json}\n`)
  const file = wanted.json ?? join(tmpdir(), 'isopod-bench.json')
  writeFileSync(file, `${json}\n`)
  console.log(`\nThe gateway was started by \`npm start\` (node ${stage.tree.startArguments.join(' ')}) with this config:\n\n${indented(stage.config)}`)
  console.log('What does not stand there is as it comes: validation, the store at synchronous=FULL, every plugin of the repository\n')
  console.log(`Node ${machine.node} on ${machine.platform}, ${machine.cores} cores, ${machine.processor}; client, gateway and upstream share them\n`)
  console.log(table(figures))
  const others = Math.max(...figures.map(({ raw }) => raw['otherCores'] ?? 0))
  if (others > SPARE_CORES) console.log(`\nOther programs held up to ${others.toFixed(1)} cores meanwhile: what is judged by the clock says something of them too`)
  const judged = figures.filter(({ verdict }) => verdict !== undefined)
  console.log(`\n${judged.filter(({ verdict }) => verdict?.met).length} of ${judged.length} budgets met; measured in ${seconds(began)} s. As JSON: ${file}`)
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 1000)
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '    ')
}

function readArguments(): { readonly quick: boolean; readonly json?: string | undefined; readonly profile?: string | undefined; readonly sections: readonly string[] } {
  try {
    const options = { quick: { type: 'boolean' }, json: { type: 'string' }, only: { type: 'string' }, profile: { type: 'string' } } as const
    const { quick = false, json, only, profile } = parseArgs({ options }).values
    const sections = only?.split(',') ?? Object.keys(SECTIONS)
    const unknown = sections.filter((name) => !Object.hasOwn(SECTIONS, name))
    if (unknown.length > 0) throw new Error(`There is no section ${unknown.join(', ')}`)
    return { quick, json, profile, sections }
  } catch (thrown) {
    console.error(`${(thrown as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}
