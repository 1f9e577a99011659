/** What every driver of the store has to do, whatever keeps its rows. A driver's test file runs this over its own. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Json, Store, Write } from '@isopod/plugin-api'
import type { StoreDriver } from '../../kernel/store/driver.ts'
import { handClock, outcome, type HandClock } from './place.ts'

/** Opens an empty driver that closes after the test. */
export type OpenDriver = (t: Pick<TestContext, 'after'>, clock: HandClock) => Promise<StoreDriver>

export function conformance(name: string, openDriver: OpenDriver): void {
  const fact = (title: string, body: (store: Store, driver: StoreDriver, clock: HandClock) => Promise<void>): void => {
    test(title, async (t) => {
      const clock = handClock()
      const driver = await openDriver(t, clock)
      await body(driver.namespace('one'), driver, clock)
    })
  }
  describe(`${name}: documents`, () => documents(fact))
  describe(`${name}: streams`, () => streams(fact))
  describe(`${name}: transactions`, () => transactions(fact))
  describe(`${name}: what is refused`, () => refusals(fact))
}

type Fact = (title: string, body: (store: Store, driver: StoreDriver, clock: HandClock) => Promise<void>) => void

const put = (collection: string, key: string, value: Json, ifVersion?: number): Write =>
  ifVersion === undefined ? { put: collection, key, value } : { put: collection, key, value, ifVersion }

function documents(fact: Fact): void {
  fact('a document is read as it was written, with version 1', async (store) => {
    const value = { text: 'grüße 🦐 \u0000 \ud800', list: [1, -0.5, 1e300, null, true, { deep: [] }], '': '', ['__proto__']: 1 }
    assert.deepEqual(await store.write([put('notes', 'a', value)]), [1])
    assert.deepEqual(await store.get('notes', 'a'), { key: 'a', value, version: 1 })
  })

  fact('an absent document is undefined', async (store) => {
    assert.equal(await store.get('notes', 'a'), undefined)
  })

  fact('each write of a key is one version more, and a removed key begins at 1 again', async (store) => {
    assert.deepEqual(await store.write([put('notes', 'a', 1)]), [1])
    assert.deepEqual(await store.write([put('notes', 'a', 2), put('notes', 'a', 3)]), [2, 3])
    assert.deepEqual(await store.write([{ remove: 'notes', key: 'a' }, { remove: 'notes', key: 'never was' }]), [0, 0])
    assert.equal(await store.get('notes', 'a'), undefined)
    assert.deepEqual(await store.write([put('notes', 'a', 4)]), [1])
  })

  fact('a written value is a copy: changing the original later changes nothing', async (store) => {
    const value = { list: [1] }
    const writing = store.write([put('notes', 'a', value)])
    value.list.push(2)
    await writing
    assert.deepEqual((await store.get('notes', 'a'))?.value, { list: [1] })
  })

  fact('an undefined property is left out', async (store) => {
    await store.write([put('notes', 'a', { kept: 1, left: undefined })])
    assert.deepEqual(Object.keys((await store.get<{ kept: number }>('notes', 'a'))?.value ?? {}), ['kept'])
  })

  fact('documents are listed in the order of their code points', async (store) => {
    const keys = ['b', 'a', 'B', 'é', 'a/2', 'a/10', '\u{1f990}', '\uff5e', 'ab']
    await store.write(keys.map((key) => put('notes', key, key)))
    const listed = await store.list('notes')
    assert.deepEqual(listed.map(({ key }) => key), ['B', 'a', 'a/10', 'a/2', 'ab', 'b', 'é', '\uff5e', '\u{1f990}'])
    assert.deepEqual(listed.map(({ value }) => value), listed.map(({ key }) => key))
  })

  fact('a list is cut by prefix, after and limit', async (store) => {
    await store.write(['a', 'b/1', 'b/2', 'b/3', 'b/4', 'c'].map((key) => put('notes', key, 0)))
    const keys = async (query: object): Promise<string[]> => (await store.list('notes', query)).map(({ key }) => key)
    assert.deepEqual(await keys({ prefix: 'b/' }), ['b/1', 'b/2', 'b/3', 'b/4'])
    assert.deepEqual(await keys({ prefix: 'b/', after: 'b/2' }), ['b/3', 'b/4'])
    assert.deepEqual(await keys({ prefix: 'b/', after: 'b/1', limit: 2 }), ['b/2', 'b/3'])
    assert.deepEqual(await keys({ prefix: 'b/', after: 'a' }), ['b/1', 'b/2', 'b/3', 'b/4'])
    assert.deepEqual(await keys({ after: 'b/25' }), ['b/3', 'b/4', 'c'])
    assert.deepEqual(await keys({ prefix: 'x' }), [])
    assert.deepEqual(await keys({ after: 'c' }), [])
  })

  fact('a list has 100 documents unless said, and 1000 at most', async (store) => {
    const writes = (from: number): Write[] => Array.from({ length: 600 }, (_, at) => put('notes', String(from + at).padStart(5, '0'), at))
    await store.write(writes(0))
    await store.write(writes(600))
    assert.equal((await store.list('notes')).length, 100)
    assert.equal((await store.list('notes', { limit: 1000 })).length, 1000)
  })

  fact('namespaces, collections and streams of the same name do not meet', async (store, driver) => {
    const other = driver.namespace('two')
    await store.write([put('x', 'k', 'mine'), put('y', 'k', 'elsewhere'), { append: 'x', value: 'entry' }])
    await other.write([put('x', 'k', 'theirs'), { append: 'x', value: 'first' }, { append: 'x', value: 'second' }])
    await other.write([{ drop: 'x' }, { remove: 'x', key: 'k' }])
    assert.deepEqual((await store.list('x')).map(({ value }) => value), ['mine'])
    assert.deepEqual((await store.read('x')).map(({ seq, value }) => [seq, value]), [[1, 'entry']])
    assert.deepEqual([await other.list('x'), await other.read('x')], [[], []])
    assert.deepEqual((await driver.namespace('one').get('y', 'k'))?.value, 'elsewhere')
  })
}

function streams(fact: Fact): void {
  const entries = (from: number, to: number): Write[] =>
    Array.from({ length: to - from + 1 }, (_, at): Write => ({ append: 'log', value: from + at }))

  fact('entries are numbered from 1 without a gap, and carry the time of the clock', async (store, _, clock) => {
    const begun = clock.now()
    assert.deepEqual(await store.write([{ append: 'log', value: 'a' }, { append: 'log', value: 'b' }]), [1, 2])
    clock.move(5)
    assert.deepEqual(await store.write([{ append: 'log', value: 'c' }]), [3])
    assert.deepEqual(await store.read('log'), [
      { seq: 1, at: begun, value: 'a' },
      { seq: 2, at: begun, value: 'b' },
      { seq: 3, at: begun + 5, value: 'c' },
    ])
  })

  fact('a stream is read by after, before, newest and limit, always oldest first', async (store) => {
    await store.write(entries(1, 9))
    const seqs = async (query: object): Promise<number[]> => (await store.read('log', query)).map(({ seq }) => seq)
    assert.deepEqual(await seqs({ limit: 3 }), [1, 2, 3])
    assert.deepEqual(await seqs({ after: 3, limit: 2 }), [4, 5])
    assert.deepEqual(await seqs({ newest: true, limit: 3 }), [7, 8, 9])
    assert.deepEqual(await seqs({ newest: true, before: 5, limit: 2 }), [3, 4])
    assert.deepEqual(await seqs({ after: 2, before: 5 }), [3, 4])
    assert.deepEqual(await seqs({ after: 7, newest: true, limit: 5 }), [8, 9])
    assert.deepEqual(await seqs({ after: 9 }), [])
    assert.deepEqual(await store.read('never was'), [])
  })

  fact('a read has 100 entries unless said', async (store) => {
    await store.write(entries(1, 250))
    assert.equal((await store.read('log')).length, 100)
    assert.equal((await store.read('log', { newest: true }))[0]?.seq, 151)
    assert.equal((await store.read('log', { limit: 1000 })).length, 250)
  })

  fact('a dropped stream is empty and begins at 1 again, within one transaction too', async (store) => {
    await store.write(entries(1, 3))
    assert.deepEqual(await store.write([{ drop: 'log' }, { append: 'log', value: 'new' }]), [0, 1])
    assert.deepEqual((await store.read('log')).map(({ value }) => value), ['new'])
    assert.deepEqual(await store.write([{ append: 'log', value: 'x' }, { drop: 'log' }, { drop: 'never was' }]), [2, 0, 0])
    assert.deepEqual(await store.read('log'), [])
  })
}

function transactions(fact: Fact): void {
  fact('a version that fits lets the write through, one that does not refuses it with `conflict`', async (store) => {
    assert.deepEqual(await store.write([put('notes', 'a', 1, 0)]), [1])
    assert.deepEqual(await store.write([put('notes', 'a', 2, 1)]), [2])
    const message = '"a" in "notes" is at version 2 and was expected at version 1'
    await assert.rejects(store.write([put('notes', 'a', 3, 1)]), { name: 'RpcError', code: 'conflict', message })
    await assert.rejects(store.write([put('notes', 'a', 3, 0)]), { code: 'conflict', message: /expected to be absent/ })
    await assert.rejects(store.write([put('notes', 'b', 3, 1)]), { code: 'conflict', message: /is absent/ })
    await assert.rejects(store.write([{ remove: 'notes', key: 'a', ifVersion: 1 }]), { code: 'conflict' })
    assert.deepEqual(await store.write([{ remove: 'notes', key: 'a', ifVersion: 2 }, { remove: 'notes', key: 'a', ifVersion: 0 }]), [0, 0])
  })

  fact('a conflict in the last step undoes all the steps before it', async (store) => {
    await store.write([put('notes', 'a', 'old'), { append: 'log', value: 1 }, { append: 'gone', value: 1 }])
    const streams: Write[] = [{ append: 'log', value: 2 }, { drop: 'gone' }, { append: 'fresh', value: 1 }]
    const steps = [put('notes', 'a', 'new'), put('notes', 'b', 'new'), ...streams]
    await assert.rejects(store.write([...steps, { remove: 'notes', key: 'a', ifVersion: 1 }]), { code: 'conflict' })
    assert.deepEqual(await store.list('notes'), [{ key: 'a', value: 'old', version: 1 }])
    assert.deepEqual([(await store.read('log')).length, (await store.read('gone')).length, (await store.read('fresh')).length], [1, 1, 0])
    assert.deepEqual(await store.write([{ append: 'log', value: 2 }, { append: 'gone', value: 2 }]), [2, 2])
  })

  fact('a later step sees the steps before it', async (store) => {
    const remove: Write = { remove: 'notes', key: 'a', ifVersion: 2 }
    assert.deepEqual(await store.write([put('notes', 'a', 1, 0), put('notes', 'a', 2, 1), remove, put('notes', 'a', 3, 0)]), [1, 2, 0, 1])
  })

  fact('of many writers that expect the same version one wins, and the others disturb nobody', async (store) => {
    const racing = Array.from({ length: 50 }, (_, at) => outcome(store.write([put('notes', 'contended', at, 0), { append: 'winners', value: at }])))
    const beside = Array.from({ length: 50 }, (_, at) => store.write([put('notes', `own-${at}`, at), { append: 'log', value: at }]))
    const ended = await Promise.all(racing)
    assert.deepEqual((await Promise.all(beside)).map(([version]) => version), Array.from({ length: 50 }, () => 1))
    assert.equal(ended.filter((end) => 'value' in end).length, 1)
    assert.equal(ended.filter((end) => 'code' in end && end.code === 'conflict').length, 49)
    assert.deepEqual((await store.read('winners')).map(({ value }) => value), [(await store.get('notes', 'contended'))?.value])
    assert.deepEqual((await store.read('log')).map(({ value }) => value), Array.from({ length: 50 }, (_, at) => at))
  })

  fact('a read sees the writes that were asked for before it, even those that nobody has waited for', async (store) => {
    const writes = Array.from({ length: 20 }, (_, at) => store.write([put('notes', 'a', at)]))
    const read = store.get('notes', 'a')
    const later = store.write([put('notes', 'a', 'later')])
    assert.deepEqual(await read, { key: 'a', value: 19, version: 20 })
    await Promise.all([...writes, later])
  })

  fact('an empty transaction is nothing', async (store) => {
    assert.deepEqual(await store.write([]), [])
  })

  fact('a transaction of 1000 writes goes through, and one of 1001 is refused', async (store) => {
    const writes = (count: number): Write[] => Array.from({ length: count }, (_, at) => put('notes', `${at}`, at))
    assert.equal((await store.write(writes(1000))).length, 1000)
    await assert.rejects(store.write(writes(1001)), { code: 'invalid_request', message: /at most 1000 writes, and this one has 1001/ })
  })

  fact('a closed driver refuses with `unavailable`, and can be closed twice', async (store, driver) => {
    const last = store.write([put('notes', 'a', 1)])
    await Promise.all([driver.close(), driver.close()])
    assert.deepEqual(await last, [1])
    await assert.rejects(store.get('notes', 'a'), { name: 'RpcError', code: 'unavailable' })
    await assert.rejects(store.write([put('notes', 'a', 1)]), { code: 'unavailable' })
    assert.equal(driver.stats().state, 'closed')
  })
}

function refusals(fact: Fact): void {
  const cycle: unknown[] = []
  cycle.push({ again: cycle })
  // The casts give the driver what the types would not let through, as untyped code does.
  const values: readonly (readonly [string, unknown, string])[] = [
    ['undefined', undefined, 'writes[0].value'],
    ['a number that is none', { a: [1, Number.NaN] }, 'writes[0].value.a[1]'],
    ['infinity', { 'a key': Infinity }, 'writes[0].value["a key"]'],
    ['a date', { when: new Date(0) }, 'writes[0].value.when'],
    ['a map', [new Map()], 'writes[0].value[0]'],
    ['an instance', { it: new (class Thing {})() }, 'writes[0].value.it'],
    ['a big integer', { n: 1n }, 'writes[0].value.n'],
    ['a function', { toJSON: () => 1 }, 'writes[0].value.toJSON'],
    ['a hole in a list', { list: Object.assign([], { length: 1 }) }, 'writes[0].value.list[0]'],
    ['bytes', Buffer.from('x'), 'writes[0].value'],
    ['a value that contains itself', cycle, `writes[0].value${'[0].again'.repeat(32)}`],
  ]
  for (const [title, value, param] of values)
    fact(`${title} is no JSON, and the refusal says where it is`, async (store) => {
      await assert.rejects(store.write([put('notes', 'a', value as Json)]), { name: 'RpcError', code: 'invalid_request', param })
      await assert.rejects(store.write([{ append: 'log', value: value as Json }]), { code: 'invalid_request', param })
      assert.deepEqual([await store.list('notes'), await store.read('log')], [[], []])
    })

  fact('a name has 1 to 512 characters of well-formed text', async (store, driver) => {
    for (const name of ['', 'x'.repeat(513), '\ud800', 'a\0b', 7 as never as string]) {
      const refused = { name: 'RpcError', code: 'invalid_request' }
      assert.throws(() => driver.namespace(name), refused)
      await assert.rejects(store.get(name, 'k'), refused)
      await assert.rejects(store.get('notes', name), refused)
      await assert.rejects(store.list(name), refused)
      await assert.rejects(store.read(name), refused)
      const puts = [put(name, 'k', 1), put('notes', name, 1)]
      const removes: Write[] = [{ remove: name, key: 'k' }, { remove: 'notes', key: name }]
      for (const write of [...puts, ...removes, { append: name, value: 1 }, { drop: name }]) await assert.rejects(store.write([write]), refused)
    }
    const long = 'x'.repeat(512)
    await driver.namespace(long).write([put(long, long, 1), { append: long, value: 1 }])
    assert.equal((await driver.namespace(long).get(long, long))?.value, 1)
  })

  fact('limits, positions and versions are whole numbers in their range', async (store) => {
    for (const limit of [0, -1, 1.5, 1001, Number.NaN, '5' as never as number]) {
      await assert.rejects(store.list('notes', { limit }), { code: 'invalid_request', param: 'limit' })
      await assert.rejects(store.read('log', { limit }), { code: 'invalid_request', param: 'limit' })
    }
    for (const position of [-1, 0.5, Infinity]) {
      await assert.rejects(store.read('log', { after: position }), { code: 'invalid_request', param: 'after' })
      await assert.rejects(store.read('log', { before: position }), { code: 'invalid_request', param: 'before' })
      await assert.rejects(store.write([put('notes', 'a', 1, position)]), { code: 'invalid_request', param: 'writes[0].ifVersion' })
    }
  })

  fact('a step that is none is named', async (store) => {
    await assert.rejects(store.write([put('notes', 'a', 1), {} as never]), { code: 'invalid_request', param: 'writes[1]' })
    await assert.rejects(store.write([null as never]), { code: 'invalid_request', param: 'writes[0]' })
    await assert.rejects(store.write('x' as never), { code: 'invalid_request', param: 'writes' })
    assert.equal(await store.get('notes', 'a'), undefined)
  })

  fact('a value of 16 MiB goes through, a longer one is too large, and a page that would be too long says so', async (store) => {
    const mib = 1024 * 1024
    const value = 'x'.repeat(16 * mib - 2)
    await assert.rejects(store.write([put('big', '0', `${value}x`)]), { code: 'payload_too_large', param: 'writes[0].value' })
    for (const key of ['1', '2', '3', '4']) await store.write([put('big', key, value), { append: 'big', value: 1 }])
    await store.write([put('big', '5', 'the straw')])
    assert.equal((await store.get<string>('big', '1'))?.value.length, value.length)
    await assert.rejects(store.list('big'), { code: 'payload_too_large', message: /ask for fewer with `limit`/ })
    assert.equal((await store.list('big', { limit: 4 })).length, 4)
    await assert.rejects(store.write(['a', 'b', 'c', 'd', 'e'].map((key) => put('big', key, value))), { code: 'payload_too_large', param: 'writes' })
  })
}
