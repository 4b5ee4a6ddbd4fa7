import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { distributionOf } from '#cli/input/distribution.ts'
import { aFolder } from '#test/support/folders.ts'

const { folder } = aFolder()
const shardsOf = async (shards: string) => (await distributionOf({ shards })).shards

it('shards are a range, a list, or what the API takes, also from a file', async () => {
  expect(await shardsOf('0..1000/50')).toEqual({ range: { from: 0, to: 1000, size: 50 } })
  expect(await shardsOf('-10..10/5')).toEqual({ range: { from: -10, to: 10, size: 5 } })
  expect(await shardsOf('["a", {"b": 1}]')).toEqual({ list: ['a', { b: 1 }] })
  expect(await shardsOf('{"split": {"capability": "s"}}')).toEqual({ split: { capability: 's' } })
  const file = join(folder(), 'shards.json')
  writeFileSync(file, '[1, 2]')
  expect(await shardsOf(`@${file}`)).toEqual({ list: [1, 2] })
})

it.each(['5', '"a"', 'null', '1..x', '1..10', 'a..b/2'])('%s is no way to divide a task', async (shards) => {
  await expect(distributionOf({ shards })).rejects.toThrow('--shards takes FROM..TO/SIZE')
})

it('what is said of shards needs some', async () => {
  await expect(distributionOf({ quorum: 0.5 })).rejects.toThrow('need --shards')
  expect(await distributionOf({})).toEqual({})
  expect(await distributionOf({ shards: '[1]', join: 'sum', quorum: 0.5 })).toMatchObject({
    join: { capability: 'sum' },
    quorum: 0.5,
  })
  expect((await distributionOf({ shards: '[1]', join: 'list' })).join).toBe('list')
})
