import { expect, it } from 'vitest'
import { awaited, type Calls } from '../calls.ts'

const lanes = ['low', 'normal', 'high', 'urgent']
const each = 4

/** Which task is next, and how many run at once. */
export const orderScenarios = ({ work, post, lease, tell, taskOf, why, get, call, submit, next }: Calls) => {
  it('hands urgent tasks out before low ones that were there first', async () => {
    const worker = await work('aws.lanes', { slots: 10 })
    const tasks = lanes.flatMap((priority) =>
      Array.from({ length: each }, () => ({ capability: 'aws.lanes', priority })),
    )
    const submitted = (await post('/tasks:batch', { tasks })).body.items
    const laneOf = new Map<string, string>(submitted.map(({ task }: never) => laneEntry(task)))
    const order: string[] = []
    await awaited(async () => {
      for (const one of await lease(worker, 1, 5)) {
        order.push(laneOf.get(one.taskId) ?? 'unknown')
        await tell('complete', worker, one, { result: 1 })
      }
      return order.length === tasks.length
    }, 'every task')
    // A lane is a queue of SQS, which may answer nothing although it has something: no exact order is promised.
    const ranks = Object.fromEntries(lanes.map((lane) => [lane, meanPlace(order, lane)]))
    expect(lanes.toSorted((a, b) => (ranks[a] ?? 0) - (ranks[b] ?? 0))).toEqual(lanes.toReversed())
    expect(order.lastIndexOf('urgent')).toBeLessThan(order.indexOf('low'))
  })

  it('holds a key at its limit, and no other key with it', async () => {
    const worker = await work('aws.keys', { slots: 10 })
    const limit = { keys: { 'aws-noisy': { concurrency: 1 } } }
    expect((await call('PATCH', '/limits', { body: limit })).status).toBe(200)
    const noisy = await Promise.all([1, 2, 3].map(() => submit('aws.keys', { fairnessKey: 'aws-noisy' })))
    const quiet = await submit('aws.keys', { fairnessKey: 'aws-quiet' })
    const running: string[] = []
    await awaited(async () => {
      running.push(...(await lease(worker, 10, 1)).map(({ taskId }) => taskId))
      return running.includes(quiet) && (await get('/limits')).keys['aws-noisy'].use.held === 2
    }, 'a held key')
    expect(running).toHaveLength(2)
    const [held = ''] = noisy.filter((id) => !running.includes(id))
    expect(await taskOf(held)).toMatchObject({
      status: 'QUEUED',
      fairnessKey: 'aws-noisy',
      blockedBy: { code: 'LIMIT' },
    })
    expect(await why(held)).toMatchObject({ code: 'LIMIT', evidence: { limit: 'key aws-noisy' } })
  })

  it('runs no more tasks of an agent at once than its limit, and all of them in the end', async () => {
    const worker = await work('aws.narrow', { slots: 10, configuration: { maxConcurrentTasks: 2 } })
    const ids = await Promise.all(Array.from({ length: 6 }, () => submit('aws.narrow')))
    const running = [await next(worker), await next(worker)]
    await awaited(async () => {
      expect(await lease(worker, 10, 0)).toEqual([])
      return (await get('/limits')).agents['aws.narrow'].use.held === 4
    }, 'four held tasks')
    const [held = ''] = ids.filter((id) => !running.some(({ taskId }) => taskId === id))
    const holders = running.map(({ taskId }) => taskId)
    const { code, evidence } = await why(held)
    expect({ code, heldBy: evidence.heldBy.toSorted() }).toEqual({ code: 'LIMIT', heldBy: holders.toSorted() })
    const ran = new Set(holders)
    while (running.length > 0) {
      await tell('complete', worker, running.shift() as never, { result: 1 })
      if (ran.size === ids.length) continue
      running.push(await next(worker))
      ran.add(running.at(-1)?.taskId ?? '')
      expect((await get('/limits')).agents['aws.narrow'].use.running).toBeLessThanOrEqual(2)
    }
    expect([...ran].toSorted()).toEqual(ids.toSorted())
  })
}

const laneEntry = ({ id, priority }: { id: string; priority: string }): [string, string] => [id, priority]

const meanPlace = (order: string[], lane: string): number =>
  order.reduce((sum, one, at) => sum + (one === lane ? at : 0), 0) / each
