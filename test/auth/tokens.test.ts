import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { SCOPES } from '@isopod/plugin-api'
import { digestOf } from '../../kernel/auth/digest.ts'
import { TokenBook } from '../../kernel/auth/tokens.ts'
import { movableClock, temporaryHome } from './parts.ts'

async function book(test: TestContext, home?: string) {
  const clock = movableClock()
  const warnings: string[] = []
  const place = home ?? (await temporaryHome(test))
  const tokens = new TokenBook({ home: place, clock: { ...clock, id: () => crypto.randomUUID() }, warn: (message) => void warnings.push(message) })
  test.after(() => tokens.close())
  return { tokens, clock, warnings, home: place, path: join(place, 'secrets', 'tokens.json') }
}

describe('the first token', () => {
  it('is made once, opens everything, and only its digest is kept, for its owner alone', async (test) => {
    const { tokens, home, path } = await book(test)
    const token = await tokens.createFirst()
    assert.match(token ?? '', /^isopod_[\w-]{43}$/)
    assert.deepEqual(tokens.find(digestOf(token ?? ''))?.scopes, SCOPES)
    assert.equal(await tokens.createFirst(), undefined)

    const text = await readFile(path, 'utf8')
    assert.ok(!text.includes(token?.slice('isopod_'.length) ?? ''))
    assert.ok(text.includes(digestOf(token ?? '')))
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await stat(join(home, 'secrets'))).mode & 0o777, 0o700)
    assert.deepEqual(await readdir(join(home, 'secrets')), ['tokens.json'])
  })

  it('is made by one of two processes that start at the same time', async (test) => {
    const one = await book(test)
    const other = await book(test, one.home)
    const made = await Promise.all([one.tokens.createFirst(), other.tokens.createFirst()])
    assert.equal(made.filter((token) => token !== undefined).length, 1)
  })

  it('still opens after a restart, and another is made only once none works', async (test) => {
    const before = await book(test)
    const token = (await before.tokens.createFirst()) ?? ''
    const after = await book(test, before.home)
    assert.notEqual(after.tokens.find(digestOf(token)), undefined)
    await after.tokens.revoke('first-start')
    assert.equal(after.tokens.empty, true)
    assert.notEqual(await after.tokens.createFirst(), undefined)
  })
})

describe('a named token', () => {
  it('has its scopes and no more, and is listed without its digest', async (test) => {
    const { tokens, clock } = await book(test)
    const { token, listing } = await tokens.create({ name: 'phone', scopes: ['read', 'write'] }, SCOPES)
    assert.deepEqual(tokens.find(digestOf(token))?.scopes, ['read', 'write'])
    assert.deepEqual(tokens.list(), [{ id: listing.id, name: 'phone', scopes: ['read', 'write'], createdAt: clock.now() }])
  })

  it('cannot be given scopes that its giver lacks', async (test) => {
    const { tokens } = await book(test)
    const wish = { name: 'agent', scopes: ['read', 'approve'] as const }
    await assert.rejects(tokens.create(wish, ['read', 'write', 'admin']), { code: 'forbidden', message: /'approve'/ })
    assert.deepEqual(tokens.list(), [])
  })

  const wishes: readonly [title: string, wish: object, param: string][] = [
    ['without a name', { name: '' }, 'name'],
    ['with a line break in its name', { name: 'a\nb' }, 'name'],
    ['with a space at the end of its name', { name: 'a ' }, 'name'],
    ['with an endless name', { name: 'a'.repeat(65) }, 'name'],
    ['without scopes', { scopes: [] }, 'scopes'],
    ['with an unknown scope', { scopes: ['root'] }, 'scopes'],
    ['that has expired already', { expiresAt: 1 }, 'expiresAt'],
    ['that expires at no time', { expiresAt: Number.NaN }, 'expiresAt'],
  ]
  for (const [title, wish, param] of wishes) {
    it(`is not made ${title}`, async (test) => {
      const { tokens } = await book(test)
      await assert.rejects(tokens.create({ name: 'a', scopes: ['read'], ...wish }, SCOPES), { code: 'invalid_request', param })
    })
  }

  it('is told which of its scopes is none', async (test) => {
    const { tokens } = await book(test)
    // What a command line hands over may be any text.
    const scopes = ['read', 'foo'] as unknown as typeof SCOPES
    await assert.rejects(tokens.create({ name: 'bad', scopes }, SCOPES), { message: "'foo' is no scope; choose of read, write, admin, approve" })
  })

  it('has a name of its own', async (test) => {
    const { tokens } = await book(test)
    await tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
    await assert.rejects(tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES), { code: 'conflict', message: /'phone'/ })
  })

  it('stops working when it expires, and those who hold it open hear', async (test) => {
    const { tokens, clock } = await book(test)
    const { token, listing } = await tokens.create({ name: 'guest', scopes: ['read'], expiresAt: clock.now() + 5_000 }, SCOPES)
    const gone: (readonly string[])[] = []
    tokens.onGone((ids) => void gone.push(ids))
    tokens.watch()
    clock.move(4_999)
    assert.equal(tokens.holds(listing.id), true)
    clock.move(1)
    assert.equal(tokens.find(digestOf(token)), undefined)
    assert.equal(tokens.holds(listing.id), false)
    assert.deepEqual(gone, [[listing.id]])
    assert.equal(tokens.list().length, 1)
  })

  it('is revoked by name or id, at once, and unknown ones are said to be unknown', async (test) => {
    const { tokens } = await book(test)
    const phone = await tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
    const desk = await tokens.create({ name: 'desk', scopes: ['read'] }, SCOPES)
    const gone: (readonly string[])[] = []
    const undo = tokens.onGone((ids) => void gone.push(ids))
    await tokens.revoke('phone')
    undo()
    await tokens.revoke(desk.listing.id)
    assert.equal(tokens.find(digestOf(phone.token)), undefined)
    assert.equal(tokens.find(digestOf(desk.token)), undefined)
    assert.deepEqual(gone, [[phone.listing.id]])
    await assert.rejects(tokens.revoke('phone'), { code: 'not_found' })
  })

  it('says to the minute when it was last used, and that is written once a minute', async (test) => {
    const { tokens, clock, path, home } = await book(test)
    const { listing } = await tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
    const before = await readFile(path, 'utf8')
    clock.move(90_000)
    tokens.used(listing.id)
    tokens.used(listing.id)
    const minute = Math.floor(clock.now() / 60_000) * 60_000
    assert.equal(tokens.list()[0]?.lastUsedAt, minute)
    assert.equal(await readFile(path, 'utf8'), before)
    await tokens.close()
    assert.equal((await book(test, home)).tokens.list()[0]?.lastUsedAt, minute)
  })
})

describe('a running gateway', () => {
  it('takes a token that another process made, at its first use', async (test) => {
    const gateway = await book(test)
    const commandLine = await book(test, gateway.home)
    const { token } = await commandLine.tokens.create({ name: 'new', scopes: ['read'] }, SCOPES)
    assert.deepEqual(gateway.tokens.find(digestOf(token))?.scopes, ['read'])
  })

  it('takes it right after its own regular look as well', async (test) => {
    const gateway = await book(test)
    gateway.tokens.watch()
    gateway.clock.move(1_000)
    const { token } = await (await book(test, gateway.home)).tokens.create({ name: 'new', scopes: ['read'] }, SCOPES)
    assert.deepEqual(gateway.tokens.find(digestOf(token))?.scopes, ['read'])
  })

  it('looks at the disk for unknown tokens no more than four times a second', async (test) => {
    const gateway = await book(test)
    gateway.tokens.find(digestOf('unknown'))
    const { token } = await (await book(test, gateway.home)).tokens.create({ name: 'new', scopes: ['read'] }, SCOPES)
    assert.equal(gateway.tokens.find(digestOf(token)), undefined)
    gateway.clock.move(250)
    assert.notEqual(gateway.tokens.find(digestOf(token)), undefined)
  })

  it('refuses a token that another process revoked, a second later', async (test) => {
    const gateway = await book(test)
    const { token, listing } = await gateway.tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
    const gone: (readonly string[])[] = []
    gateway.tokens.onGone((ids) => void gone.push(ids))
    gateway.tokens.watch()
    await (await book(test, gateway.home)).tokens.revoke('phone')
    gateway.clock.move(1_000)
    assert.equal(gateway.tokens.find(digestOf(token)), undefined)
    assert.deepEqual(gone, [[listing.id]])
  })

  it('does not bring back a revoked token when it writes down uses', async (test) => {
    const gateway = await book(test)
    const { listing } = await gateway.tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
    gateway.tokens.used(listing.id)
    const other = await book(test, gateway.home)
    await other.tokens.revoke('phone')
    await gateway.tokens.close()
    assert.deepEqual((await book(test, gateway.home)).tokens.list(), [])
  })

  it('loses none of many changes made by two processes at once', async (test) => {
    const one = await book(test)
    const other = await book(test, one.home)
    const names = Array.from({ length: 6 }, (_, each) => `token ${each}`)
    await Promise.all(names.map((name, each) => (each % 2 === 0 ? one : other).tokens.create({ name, scopes: ['read'] }, SCOPES)))
    const kept = (await book(test, one.home)).tokens.list().map(({ name }) => name)
    assert.deepEqual(kept.toSorted(), names)
  })

  it('refuses every token of a file that was removed', async (test) => {
    const { tokens, clock, path } = await book(test)
    const { token } = await tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
    tokens.watch()
    await rm(path)
    clock.move(1_000)
    assert.equal(tokens.find(digestOf(token)), undefined)
  })

  it('keeps what it knew when the file goes bad, says so once, and never writes over it', async (test) => {
    const { tokens, clock, path, warnings } = await book(test)
    const { token, listing } = await tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
    tokens.watch()
    await writeFile(path, '{"format":1,')
    clock.move(10_000)
    assert.notEqual(tokens.find(digestOf(token)), undefined)
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /tokens\.json is damaged.*stay in force/)
    tokens.used(listing.id)
    await assert.rejects(tokens.create({ name: 'more', scopes: ['read'] }, SCOPES), /tokens\.json is damaged/)
    assert.equal(await readFile(path, 'utf8'), '{"format":1,')
  })

  it('leaves no timer behind', async (test) => {
    const { tokens, clock } = await book(test)
    tokens.watch()
    assert.equal(clock.waiting, 2)
    await tokens.close()
    assert.equal(clock.waiting, 0)
  })

  it('takes over the lock of a process that was killed', async (test) => {
    const { tokens, path } = await book(test)
    await mkdir(`${path}.lock`, { recursive: true })
    const longAgo = new Date(Date.now() - 60_000)
    await utimes(`${path}.lock`, longAgo, longAgo)
    await writeFile(`${path}.new`, 'half a fi')
    await tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
    assert.equal(tokens.list().length, 1)
  })
})

describe('a damaged token file', () => {
  const good = { id: 'a', name: 'a', hash: 'f'.repeat(64), scopes: ['read'], createdAt: 1 }
  const files: readonly [title: string, text: string][] = [
    ['empty', ''],
    ['cut', '{"format":1,"tok'],
    ['of another shape', '[]'],
    ['of a later format', JSON.stringify({ format: 2, tokens: [] })],
    ['with a restriction it does not know', JSON.stringify({ format: 1, tokens: [{ ...good, networks: ['10.0.0.0/8'] }] })],
    ['with an unknown scope', JSON.stringify({ format: 1, tokens: [{ ...good, scopes: ['root'] }] })],
    ['with a token instead of its digest', JSON.stringify({ format: 1, tokens: [{ ...good, hash: 'isopod_secret' }] })],
    ['with a token twice', JSON.stringify({ format: 1, tokens: [good, good] })],
    ['with an expiry that is no time', JSON.stringify({ format: 1, tokens: [{ ...good, expiresAt: 'never' }] })],
  ]
  for (const [title, text] of files) {
    it(`refuses to start, names the file and quotes nothing: ${title}`, async (test) => {
      const home = await temporaryHome(test)
      await mkdir(join(home, 'secrets'))
      await writeFile(join(home, 'secrets', 'tokens.json'), text)
      await assert.rejects(book(test, home), (error: Error) => {
        assert.ok(error.message.startsWith(`${join(home, 'secrets', 'tokens.json')} is damaged`))
        assert.ok(!error.message.includes('isopod_secret'))
        return true
      })
    })
  }

  it('that is a directory is named too', async (test) => {
    const home = await temporaryHome(test)
    await mkdir(join(home, 'secrets', 'tokens.json'), { recursive: true })
    await assert.rejects(book(test, home), /tokens\.json cannot be read \(EISDIR\)/)
  })

  it('whose place cannot be written is said to be so, without its path', async (test) => {
    const home = await temporaryHome(test)
    const { tokens } = await book(test, home)
    await writeFile(join(home, 'secrets'), 'a file where the directory should be')
    await assert.rejects(tokens.create({ name: 'a', scopes: ['read'] }, SCOPES), { code: 'unavailable', message: 'tokens.json cannot be written (EEXIST)' })
  })
})
