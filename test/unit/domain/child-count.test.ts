import { expect, it } from 'vitest'
import { fanOutIdOf } from '#shared/domain/fan-out/fan-out-store.ts'
import { addChild, removeChild } from '#shared/domain/tasks/child-count.ts'
import { treeLimits } from '#shared/domain/tasks/lineage.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import { taskItem } from '#shared/domain/tasks/task-item.ts'
import { atOnce, scheduledPorts } from '#test/model/scheduled-ports.ts'
import { aTask } from '#test/support/builders.ts'

const parent = 'tsk_00000000000000000000000001'
const key = { pk: `default#children#${parent}`, sk: 'counter' }
/** Of 2016. */
const anOldRev = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
const aChild = (change: Partial<Task> = {}): Task =>
  aTask({ id: 'tsk_00000000000000000000000002', parent, deadline: 1_800_000_100_000, ...change })

const aWorld = (counted = 0, stored = 0) => {
  const world = scheduledPorts(atOnce)
  const item = { ...key, type: 'counter', value: counted }
  if (counted > 0) world.volatile.write({ op: 'put', item, expect: 'any', rev: anOldRev })
  for (let n = 0; n < stored; n++)
    world.main.write({ op: 'put', item: taskItem(aChild({ id: `tsk_${String(n).padStart(26, '0')}` })), expect: 'any' })
  return { ...world, count: () => world.volatile.get<number>(key)?.value }
}

it('a counter that submits which broke off have left full is mended when it refuses', async () => {
  const { ports, count } = aWorld(treeLimits.children, 3)
  await addChild(ports, aChild())
  expect(count()).toBe(4)
})

it('children that are on their way keep their places when others are counted', async () => {
  const { ports, count, forward } = aWorld(treeLimits.children - 1, 3)
  await addChild(ports, aChild())
  forward(11_000)
  await expect(addChild(ports, aChild())).rejects.toThrow('10000 children')
  expect(count()).toBe(treeLimits.children)
})

it('a parent that has as many children as it may takes no more, and is looked through now and then', async () => {
  const world = aWorld(treeLimits.children, treeLimits.children)
  const looks: number[] = []
  const queryKeys = async (...args: Parameters<typeof world.ports.main.queryKeys>) => {
    looks.push(looks.length)
    return world.ports.main.queryKeys(...args)
  }
  const ports = { ...world.ports, main: { ...world.ports.main, queryKeys } }
  for (let n = 0; n < 5; n++) await expect(addChild(ports, aChild())).rejects.toThrow('10000 children')
  expect(looks).toHaveLength(treeLimits.children / 1000)
  world.forward(11_000)
  await expect(addChild(ports, aChild())).rejects.toThrow('10000 children')
  expect(looks).toHaveLength((2 * treeLimits.children) / 1000)
})

it('shards take no place of their parent; a row of a batch that names one does', async () => {
  const { ports, count } = aWorld(1)
  for (const row of [0, 1, 'split', 'join'] as const)
    await addChild(ports, aChild({ batch: { id: fanOutIdOf('default', parent), row } }))
  expect(count()).toBe(1)
  await addChild(ports, aChild({ batch: { id: 'bat_00000000000000000000000001', row: 0 } }))
  expect(count()).toBe(2)
})

it('a counter goes some time after the deadline of the first child, whatever is added to it', async () => {
  const world = aWorld()
  await addChild(world.ports, aChild())
  await addChild(world.ports, aChild())
  await removeChild(world.ports, aChild())
  expect(world.count()).toBe(1)
  world.forward(33 * 24 * 3_600_000)
  expect(world.count()).toBeUndefined()
})
