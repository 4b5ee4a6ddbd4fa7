import { expect, it } from 'vitest'
import { changeItem, changeStored } from '#shared/domain/contention.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import type { Platform, Table } from '#shared/platform/platform.ts'
import { atOnce, scheduledPorts } from '../../model/scheduled-ports.ts'

const key = { pk: 'default#counter#1', sk: 'head' }
const what = 'counter 1'
const addOne = (value: number | undefined) => ({ ...key, type: 'counter', value: (value ?? 0) + 1 })

/** Somebody else writes before each of the first `times` writes. */
const overtaken = (table: Table, times: number): Table => {
  let left = times
  return {
    ...table,
    async write(write) {
      if (left-- > 0)
        await table.write({ op: 'put', item: addOne((await table.get<number>(key))?.value), expect: 'any' })
      return table.write(write)
    },
  }
}

/** Ports whose pauses are counted and take no time. */
const aWorld = () => {
  const { ports } = scheduledPorts(atOnce)
  const pauses: number[] = []
  const timing = {
    random: { ...ports.random, number: () => 1 },
    clock: { ...ports.clock, sleep: async (ms: number) => void pauses.push(ms) },
  } satisfies Pick<Platform, 'clock' | 'random'>
  return { table: ports.main, timing, pauses }
}

it('a change is made of what somebody else left, after pauses that grow', async () => {
  const { table, timing, pauses } = aWorld()
  const stored = await changeItem<number>(timing, { table: overtaken(table, 8), key, what }, addOne)
  expect(stored?.value).toBe(9)
  expect((await table.get(key))?.rev).toBe(stored?.rev)
  expect(pauses).toEqual([30, 40, 50, 60, 70])
})

it('a change that always comes second gives up: nothing is wrong with it, and it may come again', async () => {
  const { table, timing, pauses } = aWorld()
  const change = changeItem<number>(timing, { table: overtaken(table, 1000), key, what }, addOne)
  await expect(change).rejects.toMatchObject({ name: 'DomainError', code: 'CONTENDED', message: /counter 1/ })
  expect(Math.max(...pauses)).toBe(200)
  expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(20_000)
})

it('what changes nothing writes nothing', async () => {
  const { table, timing } = aWorld()
  const start = await changeItem<number>(timing, { table, key, what }, addOne)
  if (start === undefined) throw new Error('nothing was stored')
  expect(await changeItem<number>(timing, { table, key, what }, () => undefined)).toEqual(start)
  expect(await changeStored(timing, { table, start, what }, (value) => value, addOne)).toBe(start)
  expect((await table.get(key))?.rev).toBe(start.rev)
})

it('what was deleted meanwhile is not there to be changed', async () => {
  const { table, timing } = aWorld()
  const start = await changeItem<number>(timing, { table, key, what }, addOne)
  if (start === undefined) throw new Error('nothing was stored')
  await table.write({ op: 'delete', key, expect: 'any' })
  const change = changeStored(timing, { table, start, what }, (value) => value + 1, addOne)
  await expect(change).rejects.toEqual(new DomainError('NOT_FOUND', 'counter 1 is gone'))
})
