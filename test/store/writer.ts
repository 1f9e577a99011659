/**
 * A process that writes until it is killed: several writers at once, each transaction the same number into two streams and
 * one document. It says each number after it was acknowledged.
 */
import { systemClock } from '../../kernel/clock.ts'
import { openStore } from '../../kernel/store/driver.ts'

const [path = '', round = ''] = process.argv.slice(2)
const silent = { debug() {}, info() {}, warn() {}, error() {} }
const driver = await openStore({ path, clock: systemClock, log: silent })
const store = driver.namespace('one')

async function write(writer: number): Promise<never> {
  for (let count = 0; ; count++) {
    const value = `${round}/${writer}/${count}`
    await store.write([{ append: 'log', value }, { put: 'last', key: `${writer}`, value }, { append: 'mirror', value }])
    process.stdout.write(`${value}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)))
