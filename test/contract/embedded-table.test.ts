import { expect, it } from 'vitest'
import type { Write } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { tableContract } from './table-contract.ts'

tableContract('SQLite', async () => {
  const { platform, close } = await aPlatform()
  return { main: platform.main, volatile: platform.volatile, close }
})

it('whoever has seen one part of a transaction sees no older state of another, although nobody was told of it yet', async () => {
  const { platform, close } = await aPlatform()
  const { main } = platform
  const put = (pk: string, value: number): Write => ({
    op: 'put',
    item: { pk, sk: 'head', type: 'x', value, index: { parent: { pk: 'all', sk: pk } } },
    expect: 'any',
  })
  const stored = async (pk: string) => (await main.get<number>({ pk, sk: 'head' }))?.value
  const listed = async () => (await main.query<number>({ index: 'parent', pk: 'all' })).items.map(({ value }) => value)
  await main.write(put('kept', 1))
  expect([await stored('kept'), await listed()]).toEqual([1, [1]])
  const done = main.transact([put('kept', 2), put('new', 2)])
  await new Promise((resolve) => setImmediate(resolve)) // it is on its way, and its end is told in a turn after this one
  const until = Date.now() + 5000
  while ((await stored('new')) === undefined && Date.now() < until);
  expect([await stored('kept'), await listed()]).toEqual([2, [2, 2]])
  await done
  await close()
})
