import assert from 'node:assert/strict'
import { closeSync, copyFileSync, existsSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openDatabase } from '../../kernel/store/database.ts'
import { engine } from '../../kernel/store/engine.ts'
import { MIGRATIONS } from '../../kernel/store/migrations.ts'
import { folder, open, outcome } from './place.ts'

const { DatabaseSync } = engine()

/** A database with a few pages in it, closed; and what is in its folder. */
async function filled(t: TestContext, migrations?: readonly string[]): Promise<string> {
  const { driver, path } = await open(t, migrations === undefined ? {} : { migrations })
  const store = driver.namespace('one')
  for (let round = 0; round < 20; round++)
    await store.write([{ put: 'notes', key: `${round}`, value: 'x'.repeat(3_000) }, { append: 'log', value: round }])
  await driver.close()
  return path
}

test('the database is for its owner alone, and so are the files beside it', async (t) => {
  const { driver, path } = await open(t)
  await driver.namespace('one').write([{ append: 'log', value: 1 }])
  const modes = readdirSync(dirname(path)).map((file) => [file, statSync(join(dirname(path), file)).mode & 0o777])
  assert.deepEqual(modes, [['isopod.db', 0o600], ['isopod.db-shm', 0o600], ['isopod.db-wal', 0o600]])
})

test('a database that others could read is closed to them', async (t) => {
  const path = join(folder(t), 'isopod.db')
  closeSync(openSync(path, 'w', 0o644))
  await open(t, { path })
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('a commit is on the disk before it is acknowledged', async (t) => {
  const { database } = openDatabase({ path: join(folder(t), 'isopod.db') })
  t.after(() => database.close())
  const setting = (name: string) => database.prepare(`PRAGMA ${name}`).get()?.[name]
  assert.deepEqual([setting('journal_mode'), setting('synchronous')], ['wal', 2]) // 2 is FULL
})

test('what was written is there after closing and opening, and nothing lies beside it', async (t) => {
  const path = await filled(t)
  assert.deepEqual(readdirSync(dirname(path)), ['isopod.db'])
  const { driver } = await open(t, { path })
  assert.deepEqual((await driver.namespace('one').read('log')).map(({ value }) => value), Array.from({ length: 20 }, (_, at) => at))
})

test('a database of a newer program refuses to open, and stays as it is', async (t) => {
  const path = await filled(t, [...MIGRATIONS, 'CREATE TABLE later (id INTEGER)'])
  await refusesUntouched(t, path, {
    reason: 'newer',
    message: new RegExp(`${path} has version ${MIGRATIONS.length + 1}, and this program knows versions up to ${MIGRATIONS.length}\\. Start the newer`),
  })
})

test('a file that is no database refuses to open, names the file and says how to go on', async (t) => {
  const path = join(folder(t), 'isopod.db')
  writeFileSync(path, 'This is the shopping list, saved under a strange name.\n'.repeat(100))
  await refusesUntouched(t, path, {
    reason: 'damaged',
    message: new RegExp(`${path} is damaged \\(file is not a database\\).*Move it .* aside, then restore a backup`),
  })
})

test('another program\'s database refuses to open', async (t) => {
  const path = join(folder(t), 'isopod.db')
  const other = new DatabaseSync(path)
  other.exec('CREATE TABLE bookmarks (url TEXT)')
  other.close()
  await refusesUntouched(t, path, { reason: 'foreign', message: /is the database of another program/ })
})

test('a database with a broken page in the middle refuses to open', async (t) => {
  const path = await filled(t)
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, 4096 * 3)
  closeSync(file)
  await refusesUntouched(t, path, { reason: 'damaged', message: new RegExp(`${path} is damaged`) })
})

test('a database cut off in the middle refuses to open', async (t) => {
  const path = await filled(t)
  writeFileSync(path, readFileSync(path).subarray(0, 4096 * 5 + 100))
  await refusesUntouched(t, path, { reason: 'damaged', message: new RegExp(`${path} is damaged`) })
})

test('a damaged database whose log was not copied in yet keeps both as they are', async (t) => {
  const path = await filled(t)
  const { driver } = await open(t, { path })
  await driver.namespace('one').write([{ append: 'log', value: 'only in the log' }])
  const copy = join(folder(t), 'isopod.db')
  copyFileSync(path, copy)
  copyFileSync(`${path}-wal`, `${copy}-wal`)
  breakRootOf(copy, 'documents', path)
  const log = readFileSync(`${copy}-wal`)
  assert.ok(log.length > 0)
  await refusesUntouched(t, copy, { reason: 'damaged', message: /is damaged/ })
  assert.ok(readFileSync(`${copy}-wal`).equals(log))
})

test('a folder that is not there is named, with what to do', async (t) => {
  const path = join(folder(t), 'not', 'there', 'isopod.db')
  const end = await outcome(open(t, { path }))
  assert.match('message' in end ? end.message : '', new RegExp(`${path} cannot be written .*ISOPOD_HOME`))
})

for (const [earlier] of [...MIGRATIONS.keys(), MIGRATIONS.length].map((version) => [version] as const))
  test(`a database of version ${earlier} is brought up to date and works`, async (t) => {
    const path = join(folder(t), 'isopod.db')
    const made = new DatabaseSync(path)
    for (const step of MIGRATIONS.slice(0, earlier)) made.exec(step)
    made.exec(`PRAGMA user_version = ${earlier}`)
    made.close()
    const { driver } = await open(t, { path })
    const store = driver.namespace('one')
    assert.deepEqual(await store.write([{ put: 'notes', key: 'a', value: 1 }, { append: 'log', value: 1 }]), [1, 1])
    await driver.close()
    const look = new DatabaseSync(path)
    t.after(() => look.close())
    assert.equal(look.prepare('PRAGMA user_version').get()?.['user_version'], MIGRATIONS.length)
  })

test('before a database is brought up to date a copy of it is put aside, for its owner alone', async (t) => {
  const path = await filled(t)
  const old = readdirSync(dirname(path))
  assert.deepEqual(old, ['isopod.db'])
  const migrations = [...MIGRATIONS, 'ALTER TABLE documents ADD COLUMN colour TEXT']
  const { driver, log } = await open(t, { path, migrations })
  const next = migrations.length
  const backup = `${path}.before-v${next}`
  await driver.close()
  assert.deepEqual(readdirSync(dirname(path)), ['isopod.db', `isopod.db.before-v${next}`])
  assert.equal(statSync(backup).mode & 0o777, 0o600)
  assert.deepEqual(log.lines.find(({ level }) => level === 'info')?.facts, { from: MIGRATIONS.length, to: next, backup })
  const { driver: restored } = await open(t, { path: backup })
  assert.equal((await restored.namespace('one').list('notes')).length, 20)
})

test('a step that fails changes nothing, and the next attempt goes through', async (t) => {
  const path = await filled(t)
  const half = [...MIGRATIONS, 'CREATE TABLE first (id INTEGER)', 'CREATE TABLE documents (again INTEGER)']
  const end = await outcome(open(t, { path, migrations: half }))
  assert.match('message' in end ? end.message : '', /could not be opened: table documents already exists/)
  assert.ok(existsSync(`${path}.before-v${half.length}`))
  const look = new DatabaseSync(path)
  assert.equal(look.prepare('PRAGMA user_version').get()?.['user_version'], MIGRATIONS.length)
  assert.equal(look.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get('first'), undefined)
  look.close()
  const { driver } = await open(t, { path, migrations: [...MIGRATIONS, 'CREATE TABLE first (id INTEGER)', 'CREATE TABLE other (id INTEGER)'] })
  assert.equal((await driver.namespace('one').list('notes')).length, 20)
})

test('a broken page found while it runs stops the writes, is told once, and does not stop the reads of other pages', async (t) => {
  const { driver, path } = await open(t)
  const store = driver.namespace('one')
  await store.write([{ put: 'notes', key: 'a', value: 'x'.repeat(20_000) }, { append: 'log', value: 1 }])
  await driver.close()
  const whole = join(folder(t), 'whole.db')
  copyFileSync(path, whole)
  const { driver: again } = await open(t, { path })
  const failures: unknown[] = []
  again.onFailure(({ kind, final }) => failures.push([kind, final]))
  breakRootOf(path, 'documents', whole)
  const broken = again.namespace('one')
  await assert.rejects(broken.get('notes', 'a'), { code: 'unavailable', retryable: false, message: 'The store is damaged and takes no more writes' })
  await assert.rejects(broken.write([{ append: 'log', value: 2 }]), { code: 'unavailable', retryable: false })
  assert.deepEqual((await broken.read('log')).map(({ value }) => value), [1])
  assert.deepEqual(failures, [['damaged', true]])
  assert.match(again.stats().trouble ?? '', new RegExp(path))
})

/** Overwrites the first page of a table, in a file that is not read there yet. `like` is a whole copy of it. */
function breakRootOf(path: string, table: string, like: string): void {
  const look = new DatabaseSync(like, { readOnly: true })
  const root = Number(look.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)?.['rootpage'])
  look.close()
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, (root - 1) * 4096)
  closeSync(file)
}

/** Opening rejects as expected, and every byte of the file is as it was. */
async function refusesUntouched(t: TestContext, path: string, expected: { reason: string; message: RegExp }): Promise<void> {
  const before = readFileSync(path)
  await assert.rejects(open(t, { path }), { name: 'OpenRefusal', ...expected })
  assert.ok(readFileSync(path).equals(before), 'the file was changed')
}
