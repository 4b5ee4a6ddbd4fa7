import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { bumpGeneration, readGeneration } from '#shared/platform/embedded/generation.ts'
import { migrate } from '#shared/platform/embedded/sqlite-schema.ts'
import type { Change } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventually } from '#test/support/eventually.ts'
import { aFolder } from '#test/support/folders.ts'
import { aKey, anItem, aPut, keyOf, stored } from '#test/support/items.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'
import { aStorage } from '#test/support/storage.ts'

const { folder } = aFolder()
const hours = 3_600_000

describe('schema', () => {
  const versionOf = (database: DatabaseSync): unknown => database.prepare('PRAGMA user_version').get()

  test('goes forward step by step and keeps what is stored', () => {
    const database = new DatabaseSync(':memory:')
    migrate(database, ['CREATE TABLE notes (text TEXT)'])
    database.exec("INSERT INTO notes VALUES ('kept')")
    const steps = ['THIS IS NOT RUN AGAIN', "ALTER TABLE notes ADD COLUMN author TEXT DEFAULT 'nobody'"]
    migrate(database, steps)
    migrate(database, steps)
    expect(database.prepare('SELECT * FROM notes').all()).toEqual([{ text: 'kept', author: 'nobody' }])
    expect(versionOf(database)).toEqual({ user_version: 2 })
  })

  test('does a step whole or not at all', () => {
    const database = new DatabaseSync(':memory:')
    const step = 'CREATE TABLE half (x); CREATE TABLE half (x)'
    expect(() => migrate(database, ['CREATE TABLE whole (x)', step])).toThrow(
      'could not be brought to schema version 2',
    )
    expect(database.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'whole' }])
    expect(versionOf(database)).toEqual({ user_version: 1 })
  })

  test('of a newer program is refused in one line, and nothing is changed', async () => {
    const home = folder()
    await (await aPlatform(home)).close()
    const file = join(home, 'data', 'devcycle.db')
    const setVersion = (version: number): number => {
      const database = new DatabaseSync(file)
      const before = database.prepare('PRAGMA user_version').get()?.user_version
      database.exec(`PRAGMA user_version = ${version}`)
      database.close()
      return Number(before)
    }
    const known = setVersion(99)
    await expect(aPlatform(home)).rejects.toThrow(
      /^the data folder has schema version 99, and this DevCycle knows \d+; start a newer DevCycle on it$/,
    )
    setVersion(known)
    await (await aPlatform(home)).close()
  })
})

describe('data folder', () => {
  test('keeps items, index entries, counters and how far consumers are from one start to the next', async () => {
    const home = folder()
    const first = await aPlatform(home)
    const listed = { pk: 'acme#notes', sk: '1' }
    const item = await stored(first.platform.main, anItem({ value: 'kept', index: { list: listed } }))
    const counter = aKey()
    await first.platform.main.add(counter, 3)
    const told: Change[] = []
    first.platform.feed.consume('test', async (batch) => {
      told.push(...batch)
      return []
    })
    await eventually(() => expect(told).toHaveLength(2))
    await first.close()

    const second = await aPlatform(home)
    expect(await second.platform.main.get(item)).toEqual(item)
    expect((await second.platform.main.query({ index: 'list', pk: listed.pk })).items).toEqual([item])
    expect(await second.platform.main.add(counter, 1)).toBe(4)
    const toldAgain: Change[] = []
    second.platform.feed.consume('test', async (batch) => {
      toldAgain.push(...batch)
      return []
    })
    await eventually(() => expect(toldAgain.map(({ key }) => key)).toEqual([counter]))
    await second.close()
  })

  test('that cannot be one is refused in one line', async () => {
    const home = folder()
    writeFileSync(join(home, 'data'), 'a file')
    await expect(aPlatform(home)).rejects.toThrow(/^the data folder .*data cannot be used: EEXIST/)
  })

  test('that holds something else instead of a database is refused, and nothing of it is changed', async () => {
    const home = folder()
    await (await aPlatform(home)).close()
    const file = join(home, 'data', 'devcycle.db')
    writeFileSync(file, 'this is no database, and it is long enough to be taken for one '.repeat(100))
    const before = readFileSync(file, 'utf8')
    await expect(aPlatform(home)).rejects.toThrow('not a database')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })
})

describe('generation', () => {
  test('is made once, beside the folder, as unix seconds', () => {
    const home = folder()
    const made = readGeneration(join(home, 'data/'))
    expect(Math.abs(made - Date.now() / 1000)).toBeLessThan(5)
    expect(readFileSync(join(home, 'data.generation'), 'utf8')).toBe(`${made}\n`)
    expect(readGeneration(join(home, 'data'))).toBe(made)
  })

  test('grows with each restore, also when the clock was wrong before', () => {
    const data = join(folder(), 'data')
    const far = Math.floor(Date.now() / 1000) + 1_000_000
    writeFileSync(`${data}.generation`, `${far}\n`)
    expect(bumpGeneration(data)).toBe(far + 1)
    expect(readGeneration(data)).toBe(far + 1)
    writeFileSync(`${data}.generation`, '7\n')
    expect(bumpGeneration(data)).toBeGreaterThan(1_700_000_000)
  })

  test('that cannot be read is not made up', () => {
    const data = join(folder(), 'data')
    writeFileSync(`${data}.generation`, 'seven')
    expect(() => readGeneration(data)).toThrow('received "seven"')
  })
})

describe('writer', () => {
  test('fails one bad request alone when it shared a commit with others', async () => {
    const { main, close } = await aStorage(folder())
    const text = await stored(main, anItem({ value: 'no number' }))
    const items = Array.from({ length: 20 }, (_, value) => anItem({ value }))
    const before = items.slice(0, 10).map((item) => main.write(aPut(item)))
    const bad = main.add(text, 1)
    const after = items.slice(10).map((item) => main.write(aPut(item)))
    await expect(bad).rejects.toMatchObject({ code: 'INVALID' })
    for (const outcome of await Promise.all([...before, ...after])) expect(outcome.ok).toBe(true)
    expect((await main.getMany(items.map(keyOf))).map((item) => item?.value)).toEqual(items.map(({ value }) => value))
    expect(await main.get(text)).toEqual(text)
    await close()
  })

  test('tells when all that it was asked for is written, also when the last of it failed', async () => {
    const { main, writer, close } = await aStorage(folder())
    expect(writer.written()).toBeUndefined()
    const text = await stored(main, anItem({ value: 'no number' }))
    const item = anItem()
    const writing = main.write(aPut(item))
    const failing = main.add(text, 1).catch(() => 'failed')
    await writer.written()
    expect(writer.written()).toBeUndefined()
    expect(await main.get(item)).toMatchObject(item)
    expect((await writing).ok).toBe(true)
    expect(await failing).toBe('failed')
    await close()
  })

  test('finishes what is under way when it is closed, and refuses what comes later', async () => {
    const home = folder()
    const { main, close } = await aStorage(home)
    const items = Array.from({ length: 300 }, (_, value) => anItem({ value }))
    const writing = Promise.all(items.map((item) => main.write(aPut(item))))
    const closing = close()
    expect((await writing).every(({ ok }) => ok)).toBe(true)
    await closing
    await expect(main.write(aPut(anItem()))).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    const again = await aStorage(home)
    expect((await again.main.getMany(items.map(keyOf))).every((item) => item !== undefined)).toBe(true)
    await again.close()
  })

  test('finishes what gathered during a flush when it is closed', async () => {
    const home = folder()
    const { main, close } = await aStorage(home)
    const first = main.write(aPut(anItem()))
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    const items = Array.from({ length: 10 }, (_, value) => anItem({ value }))
    const gathered = Promise.all(items.map((item) => main.write(aPut(item))))
    await close()
    expect([await first, ...(await gathered)].every(({ ok }) => ok)).toBe(true)
  })

  test('deletes what expired a little at a time, and tells nobody', async () => {
    const { main, volatile, reader, writer, close } = await aStorage(folder())
    const gone = { expiresAt: Date.now() - 1000 }
    await Promise.all(Array.from({ length: 700 }, () => volatile.write(aPut(anItem(gone)))))
    await Promise.all(Array.from({ length: 20 }, () => main.write(aPut(anItem(gone)))))
    const kept = await stored(main, anItem({ expiresAt: Date.now() + hours }))
    const count = (sql: string): unknown => Object.values(reader.prepare(sql).get() ?? {})[0]
    const changes = count('SELECT count(*) FROM changes')
    const purge = () => writer.send({ kind: 'purge', now: Date.now(), changesBefore: 0 })
    expect([await purge(), await purge(), await purge()]).toEqual([520, 200, 0])
    expect(count('SELECT (SELECT count(*) FROM main) + (SELECT count(*) FROM volatile)')).toBe(1)
    expect(count('SELECT count(*) FROM changes')).toBe(changes)
    expect(await main.get(kept)).toEqual(kept)
    await close()
  })

  test('forgets changes of more than a day ago, and never gives their numbers again', async () => {
    const home = folder()
    const clock = aSkewedClock()
    const first = await aStorage(home, clock)
    for (const _ of [1, 2, 3]) await first.main.write(aPut(anItem()))
    clock.forward(25 * hours)
    const last = await stored(first.main, anItem())
    const purge = { kind: 'purge', now: clock.now(), changesBefore: clock.now() - 24 * hours } as const
    expect(await first.writer.send(purge)).toBe(3)
    const changes = () =>
      first.reader.prepare('SELECT seq, after FROM changes').all() as { seq: number; after: string }[]
    expect(changes()).toMatchObject([{ seq: 4, after: expect.stringContaining(last.rev) }])
    clock.forward(25 * hours)
    expect(await first.writer.send({ ...purge, changesBefore: clock.now() })).toBe(0)
    await first.close()
    const second = await aStorage(home, clock)
    await second.main.write(aPut(anItem()))
    expect(second.reader.prepare('SELECT max(seq) AS seq FROM changes').get()).toEqual({ seq: 5 })
    await second.close()
  })
})

describe('what one read has shown', () => {
  test('the next one shows as well, however it asks and of whatever was written with it, also before the writer was heard', async () => {
    const { main, close } = await aStorage(folder())
    const parent = aKey()
    const item = await stored(main, anItem({ value: 0, index: { parent } }))
    const listed = async () => (await main.query({ index: 'parent', pk: parent.pk })).items
    const byKey = async () => (await main.get(item))?.value
    const byParent = async () => (await listed())[0]?.value
    const byPart = async () => (await main.query({ pk: item.pk })).items[0]?.value
    const reads = [byKey, byParent, byPart]
    for (let value = 1; value <= 30; value++) {
      for (const read of reads) expect(await read()).toBe(value - 1) // kept from now on, as far as it is
      const other = anItem({ value, index: { parent: { pk: parent.pk, sk: `with ${value}` } } })
      const byOther = async () => (await main.get(other))?.value
      const writing = main.transact([aPut({ ...item, value }, 'any'), aPut(other)])
      await new Promise(setImmediate) // it is on its way; no message of the writer is heard until this is awaited again
      const first = [...reads, byOther][value % 4] ?? byKey
      const end = performance.now() + 5000
      while ((await first()) !== value && performance.now() < end);
      for (const read of [...reads, byOther]) expect(await read()).toBe(value)
      expect(await listed()).toHaveLength(value + 1)
      await writing
    }
    await close()
  })
})

describe('a reader that waits', () => {
  test('is told by the commit, not by looking again', async () => {
    const { main, close } = await aStorage(folder())
    const latencies: number[] = []
    for (let round = 0; round < 15; round++) {
      const item = await stored(main, anItem())
      const waiting = main.waitForChange(item, item.rev, 30_000).then(() => performance.now())
      await stored(main, { ...item, value: 'changed' })
      latencies.push((await waiting) - performance.now())
    }
    expect(Math.max(...latencies)).toBeLessThanOrEqual(0)
    await close()
  })

  test('is told when the item expires', async () => {
    const { main, close } = await aStorage(folder())
    const item = await stored(main, anItem({ expiresAt: Date.now() + 150 }))
    const began = performance.now()
    expect(await main.waitForChange(item, item.rev, 30_000)).toBeUndefined()
    expect(performance.now() - began).toBeLessThan(5000)
    await close()
  })
})
