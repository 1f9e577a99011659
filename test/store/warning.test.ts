import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { folder } from './place.ts'

test('nobody is bothered with SQLite being experimental, in either thread, and other warnings still appear', (t) => {
  const at = (file: string) => JSON.stringify(new URL(`../../kernel/${file}`, import.meta.url))
  const script = `
    import { systemClock } from ${at('clock.ts')}
    import { openHome } from ${at('home.ts')}
    import { openStore } from ${at('store/driver.ts')}
    const home = await openHome(process.env, { clock: systemClock })
    const driver = await openStore({ path: home.database, clock: systemClock, log: { info() {}, error() {} } })
    await driver.close()
    process.emitWarning('another', 'ExperimentalWarning')
  `
  const path = folder(t)
  writeFileSync(join(path, 'script.mjs'), script)
  const child = spawnSync(process.execPath, [join(path, 'script.mjs')], { env: { ISOPOD_HOME: path }, encoding: 'utf8' })
  assert.equal(child.status, 0, child.stderr)
  assert.match(child.stderr, /ExperimentalWarning: another/)
  assert.doesNotMatch(child.stderr, /SQLite/)
})
