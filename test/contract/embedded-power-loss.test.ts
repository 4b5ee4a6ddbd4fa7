import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import type { Change, Table } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventually } from '#test/support/eventually.ts'
import { aFolder } from '#test/support/folders.ts'
import { allPages, anItem, aPut, keyOf } from '#test/support/items.ts'
import { aPair } from '#test/support/pairs.ts'
import { aStorage } from '#test/support/storage.ts'

const program = fileURLToPath(new URL('../support/writing-child.ts', import.meta.url))
const writes = 10_000

/** Starts the child and kills it hard at the given number of acknowledged pairs; answers those. */
const killedAfter = async (dataDir: string, acknowledged: number): Promise<number[]> => {
  const child = spawn(process.execPath, [program, dataDir, String(writes / 2), '200'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const printed: number[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'open') printed.push(Number(line))
    if (printed.length === acknowledged) child.kill('SIGKILL')
  }
  return printed
}

const everything = async (table: Table) => (await allPages((cursor) => table.scan({ segment: 0, of: 1, cursor }))).items

describe('power loss', () => {
  const { folder } = aFolder()

  for (const acknowledged of [100, 2500])
    test(`keeps every write that was acknowledged before the process was killed, after ${acknowledged} of them`, async () => {
      const home = folder()
      const printed = await killedAfter(join(home, 'data'), acknowledged)
      expect(printed.length).toBeGreaterThanOrEqual(acknowledged)
      expect(printed.length).toBeLessThan(writes / 2)
      const { platform, close } = await aPlatform(home)
      const found = await everything(platform.main)
      const keys = new Set(found.map(({ pk, sk }) => `${pk} ${sk}`))
      const missing = printed.flatMap(aPair).filter(({ pk, sk }) => !keys.has(`${pk} ${sk}`))
      expect(missing).toEqual([])
      for (const { pk, value } of found) {
        expect(keys.has(`${pk} left`) && keys.has(`${pk} right`)).toBe(true)
        expect(value).toEqual(aPair((value as { number: number }).number)[0].value)
      }
      const told: Change[] = []
      const feed = platform.feed.consume('test', async (batch) => {
        told.push(...batch)
        return []
      })
      await eventually(() => expect(told.length).toBeGreaterThanOrEqual(found.length))
      await feed.stop()
      expect(new Set(told.map(({ after }) => after?.rev))).toEqual(new Set(found.map(({ rev }) => rev)))
      await close()
    })
})

describe('an acknowledgement', () => {
  const { folder } = aFolder()

  test('comes after the commit: another connection sees the write at that moment', async () => {
    const { file, main, close } = await aStorage(folder())
    const other = new DatabaseSync(file, { readOnly: true })
    const see = other.prepare('SELECT rev FROM main WHERE pk = ? AND sk = ?')
    const writeAndLook = async (value: number): Promise<void> => {
      const item = anItem({ value })
      const outcome = await main.write(aPut(item))
      expect(see.get(item.pk, item.sk)).toEqual({ rev: outcome.ok && outcome.revs[0] })
    }
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 40 }, (_, at) => writeAndLook(at)))
    expect(await main.add(anItem(), 1)).toBe(1)
    other.close()
    await close()
  })

  test('comes after a flush: the writer commits with synchronous = FULL into a write-ahead log', async () => {
    const { writer, close } = await aStorage(folder())
    expect(await writer.send({ kind: 'inspect' })).toMatchObject({ synchronous: 2, journalMode: 'wal' })
    await close()
  })

  test('is one commit each when writes come one by one, and shares commits when they come together', async () => {
    const { writer, main, close } = await aStorage(folder())
    const before = await writer.send({ kind: 'inspect' })
    for (let at = 0; at < 10; at++) await main.write(aPut(anItem()))
    const between = await writer.send({ kind: 'inspect' })
    expect(between.commits - before.commits).toBe(11)
    expect(between.answered - before.answered).toBe(11)
    await Promise.all(Array.from({ length: 500 }, () => main.write(aPut(anItem()))))
    const after = await writer.send({ kind: 'inspect' })
    expect(after.answered - between.answered).toBe(501)
    expect(after.commits - between.commits).toBeLessThan(10)
    await close()
  })
})

describe('the lock of a data folder', () => {
  const { folder } = aFolder()
  const children: ChildProcess[] = []
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
  })

  test('keeps a second process out in one line, and is free again when the first was killed', async () => {
    const home = folder()
    const dataDir = join(home, 'data')
    const child = spawn(process.execPath, [program, dataDir, '5', '1'], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    for (let at = 0; at < 6; at++) await lines.next()
    await expect(aPlatform(home)).rejects.toThrow(
      `another DevCycle server is running on ${dataDir}; stop it, or choose another folder with --data`,
    )
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    const { platform, close } = await aPlatform(home)
    expect(await platform.main.get(keyOf(aPair(4)[0]))).toMatchObject(aPair(4)[0])
    await close()
  })

  test('keeps out a second platform of the same process, and the first goes on', async () => {
    const home = folder()
    const first = await aPlatform(home)
    await expect(aPlatform(home)).rejects.toThrow('another DevCycle server is running')
    expect(await first.platform.main.write(aPut(anItem()))).toMatchObject({ ok: true })
    await first.close()
    const again = await aPlatform(home)
    await again.close()
  })
})
