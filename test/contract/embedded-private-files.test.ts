import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { aPlatform } from '#test/support/embedded.ts'
import { aFolder } from '#test/support/folders.ts'

const { folder } = aFolder()
const modeOf = (path: string): number => statSync(path).mode & 0o777

/** Every file and folder that somebody else could open. */
const openOnes = (dataDir: string): string[] =>
  readdirSync(dataDir, { withFileTypes: true, recursive: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => (modeOf(path) & 0o077) !== 0)

const use = async (home: string): Promise<string[]> => {
  const { platform, dataDir, close } = await aPlatform(home)
  await platform.main.write({ op: 'put', item: { pk: 'a', sk: 'b', type: 't', value: 1 }, expect: 'any' })
  await platform.objects.put({ tenant: 'default', id: 'obj_1' }, Buffer.from('x'))
  const open = openOnes(dataDir)
  await close()
  return open
}

it('a data folder and all that is in it are for their owner alone', async () => {
  const home = folder()
  expect(await use(home)).toEqual([])
  expect(modeOf(join(home, 'data'))).toBe(0o700)
  expect(readdirSync(join(home, 'data'))).toContain('devcycle.db')
})

it('one that others could read is closed to them by the next start', async () => {
  const home = folder()
  await use(home)
  const dataDir = join(home, 'data')
  chmodSync(dataDir, 0o755)
  for (const name of readdirSync(dataDir)) if (name.endsWith('.db')) chmodSync(join(dataDir, name), 0o644)
  writeFileSync(join(dataDir, 'devcycle.db-wal'), '', { mode: 0o644 })
  expect(await use(home)).toEqual([])
  expect(modeOf(dataDir)).toBe(0o700)
})

it('a folder that holds something else keeps its mode', async () => {
  const home = folder()
  const dataDir = join(home, 'data')
  mkdirSync(dataDir)
  chmodSync(dataDir, 0o755)
  writeFileSync(join(dataDir, 'notes.txt'), 'mine', { mode: 0o644 })
  expect(await use(home)).toEqual([join(dataDir, 'notes.txt')])
  expect(modeOf(dataDir)).toBe(0o755)
})
