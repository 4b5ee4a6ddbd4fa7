import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweep } from '#functions/sweep/sweep.ts'
import { findTask } from '#shared/domain/tasks/task-store.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { until } from '#test/support/server-process.ts'
import { aSetClock } from '#test/support/set-clock.ts'

let api: TestApi
let worker: { instanceId: string; token: string }
type Leased = { taskId: string; fence: string; budgetLeft: Record<string, number> | null }

const join = async () => (await api.post('/instances', { agent: 'spender', slots: 100 })).body
const submit = (more = {}) => api.post('/tasks', { capability: 'spend', ...more })
const lease = async (id: string): Promise<Leased> => {
  const { body } = await api.post(
    `/instances/${worker.instanceId}/lease?wait=0`,
    { taskIds: [id] },
    { key: worker.token },
  )
  return body.tasks[0]
}
const start = async (more = {}): Promise<Leased> => lease((await submit(more)).body.id)
const complete = ({ taskId, fence }: Leased, usage = {}) =>
  api.post(`/tasks/${taskId}/complete`, { fence, result: 1, usage }, { key: worker.token })
const progress = ({ taskId, fence }: Leased, usage: object) =>
  api.post(`/tasks/${taskId}/progress`, { fence, usage }, { key: worker.token })
const cancel = (id: string) => api.post(`/tasks/${id}/cancel`)
const retry = (id: string) => api.post(`/tasks/${id}/retry`)
const leftOf = async (id: string) => (await api.get(`/tasks/${id}/usage`)).body.budgetLeft
const taskOf = async (id: string) => (await api.get(`/tasks/${id}`)).body

const open = async (host: () => Promise<TestApi>): Promise<void> => {
  api = await host()
  await api.post('/agents', { name: 'spender', capabilities: [{ name: 'spend' }] })
  worker = await join()
}

describe.each(apiHosts)('budgets on $host', ({ open: host }) => {
  beforeAll(() => open(host), 30_000)
  afterAll(() => api?.close())

  it('are told with the lease, and charged from what is reported', async () => {
    const task = await start({ budget: { money: 1, tokens: 100 } })
    expect(task.budgetLeft).toEqual({ money: 1, tokens: 100 })
    expect((await progress(task, { cost: 0.25, tokens: 10 })).status).toBe(202)
    const child = await start({ parent: task.taskId })
    expect(child.budgetLeft).toEqual({ money: 0.75, tokens: 90 })
    expect((await complete(task, { cost: 0.75 })).body).toMatchObject({ status: 'SUCCEEDED', cost: { cost: 1 } })
    expect((await start()).budgetLeft).toBeNull()
  })

  it('end a task with BUDGET as soon as it has spent more, and its fence with it', async () => {
    const task = await start({ budget: { tokens: 100 } })
    await progress(task, { tokens: 60 })
    await progress(task, { tokens: 60 })
    expect(await taskOf(task.taskId)).toMatchObject({
      status: 'FAILED',
      attempt: 1,
      failure: { code: 'BUDGET', retryable: false, message: expect.stringContaining('tokens') },
      cost: { tokens: 120 },
    })
    expect(await complete(task)).toMatchObject({ status: 409, body: { code: 'STALE_FENCE' } })
  })

  it('end a task whose completion spends more than there was, also when it is repeated', async () => {
    const task = await start({ budget: { money: 0.5 } })
    for (let n = 0; n < 2; n++)
      expect(await complete(task, { cost: 0.6 })).toMatchObject({
        status: 200,
        body: { status: 'FAILED', failure: { code: 'BUDGET' }, cost: { cost: 0.6 } },
      })
  })

  it('let no task start for which nothing is left', async () => {
    const parent = await start({ budget: { tokens: 10 } })
    const { id } = (await submit({ parent: parent.taskId })).body
    await progress(parent, { tokens: 10 })
    expect(await lease(id)).toBeUndefined()
    expect(await taskOf(id)).toMatchObject({ status: 'FAILED', failure: { code: 'BUDGET' } })
  })

  it('give children what is left, and two of them never the same', async () => {
    const parent = await start({ budget: { money: 1 } })
    const first = await submit({ parent: parent.taskId, budget: { money: 0.7 } })
    expect(first.status).toBe(202)
    expect(await submit({ parent: parent.taskId, budget: { money: 0.4 } })).toMatchObject({
      status: 409,
      body: { code: 'BUDGET', errors: [{ pointer: '#/budget/money', message: expect.stringContaining('0.3 left') }] },
    })
    const child = await lease(first.body.id)
    expect(child.budgetLeft).toEqual({ money: 0.7 })
    expect((await complete(child, { cost: 0.2 })).body.status).toBe('SUCCEEDED')
    const second = await start({ parent: parent.taskId, budget: { money: 0.8 } })
    expect(second.budgetLeft).toEqual({ money: 0.8 })
    expect((await complete(parent, { cost: 0.1 })).body.failure).toMatchObject({ code: 'BUDGET' })
  })

  it('bound children and depth at submit', async () => {
    const parent = await start({ budget: { children: 2, depth: 1 } })
    const child = await submit({ parent: parent.taskId })
    expect(child.status).toBe(202)
    const grandchild = await submit({ parent: child.body.id })
    expect(grandchild).toMatchObject({ status: 409, body: { code: 'BUDGET', detail: expect.stringContaining('deep') } })
    expect((await submit({ parent: parent.taskId })).status).toBe(202)
    expect(await submit({ parent: parent.taskId })).toMatchObject({ status: 409, body: { code: 'BUDGET' } })
  })

  it('are checked at the door', async () => {
    expect(await submit({ budget: { money: -1 } })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/budget/money' }] },
    })
  })

  it('bind a child that is retried while its parent runs: to its place in the tree, and to what is left', async () => {
    const parent = await start({ budget: { tokens: 100, children: 3 } })
    const child = await start({ parent: parent.taskId, budget: { tokens: 60 } })
    await progress(child, { tokens: 50 })
    await cancel(child.taskId)
    const again = await retry(child.taskId)
    expect(again.body).toMatchObject({ code: 'BUDGET', errors: [{ message: expect.stringContaining('50 left') }] })
    const drawing = await start({ parent: parent.taskId })
    await cancel(drawing.taskId)
    const retried = await retry(drawing.taskId)
    expect(retried).toMatchObject({ status: 202, body: { parent: parent.taskId, retryOf: drawing.taskId } })
    expect((await lease(retried.body.id)).budgetLeft).toEqual({ tokens: 50, children: 0 })
    expect((await retry(drawing.taskId)).body).toMatchObject({ code: 'BUDGET' })
  })

  it('refuse a retry for which nothing is left', async () => {
    const parent = await start({ budget: { tokens: 10 } })
    const child = await start({ parent: parent.taskId })
    await cancel(child.taskId)
    await progress(parent, { tokens: 10 })
    expect(await retry(child.taskId)).toMatchObject({
      status: 409,
      body: { code: 'BUDGET', detail: expect.stringContaining('nothing is left of tokens') },
    })
  })

  it('leave a child that is retried after its parent to its own budget alone', async () => {
    const parent = await start({ budget: { tokens: 100 } })
    const child = await start({ parent: parent.taskId, budget: { tokens: 60 } })
    await cancel(child.taskId)
    const key = { headers: { 'idempotency-key': 'late' } }
    const early = await api.post(`/tasks/${child.taskId}/retry`, undefined, key)
    await cancel(early.body.id)
    await complete(parent, { tokens: 5 })
    expect((await api.post(`/tasks/${child.taskId}/retry`, undefined, key)).body.id).toBe(early.body.id)
    const alone = await retry(child.taskId)
    expect(alone.body.parent).toBeUndefined()
    const leased = await lease(alone.body.id)
    expect(leased.budgetLeft).toEqual({ tokens: 60 })
    await complete(leased, { tokens: 60 })
    await expect.poll(async () => (await leftOf(parent.taskId)).tokens).toBe(95)
  })

  it('bind a child whose parent has ended to the nearest above it that has not', async () => {
    const root = await start({ budget: { tokens: 100 } })
    const middle = await start({ parent: root.taskId })
    const child = await start({ parent: middle.taskId })
    await cancel(child.taskId)
    await complete(middle, { tokens: 30 })
    const retried = (await retry(child.taskId)).body
    expect(retried.parent).toBe(root.taskId)
    expect((await lease(retried.id)).budgetLeft).toEqual({ tokens: 70 })
    await cancel(root.taskId)
    await expect.poll(async () => (await taskOf(retried.id)).status).toBe('CANCELLED')
  })

  it('take reports at a high rate from many children, charge them exactly, and keep nothing from who comes next', async () => {
    const parent = await start({ budget: { tokens: 1000 } })
    const children = await Promise.all(Array.from({ length: 4 }, () => start({ parent: parent.taskId })))
    const report = async (child: Leased) => {
      for (let n = 0; n < 25; n++) expect((await progress(child, { tokens: 5 })).status).toBe(202)
    }
    await Promise.all(children.map(report))
    const first = children[0] as Leased
    const left = await leftOf(first.taskId)
    expect(left.tokens).toBeLessThanOrEqual(500)
    const heir = await submit({ parent: parent.taskId, budget: { tokens: 500 } })
    expect(heir.status).toBe(202)
    expect((await leftOf(parent.taskId)).tokens).toBe(0)
    await progress(first, { tokens: 1 })
    expect(await taskOf(first.taskId)).toMatchObject({ status: 'FAILED', failure: { code: 'BUDGET' } })
    await cancel(heir.body.id)
    for (const child of children.slice(1)) expect((await complete(child)).body.status).toBe('SUCCEEDED')
    // the token that was one too many is charged if there is room again when the child's account is closed
    await expect.poll(async () => (await leftOf(parent.taskId)).tokens).toBeOneOf([499, 500])
  })

  it('go over by no more than the last report of each task, however many report at once', async () => {
    const parent = await start({ budget: { money: 1 } })
    const children = await Promise.all(Array.from({ length: 8 }, () => start({ parent: parent.taskId })))
    const untilRefused = async (child: Leased): Promise<void> => {
      while ((await progress(child, { cost: 0.03 })).status === 202);
    }
    await Promise.all(children.flatMap((child) => [1, 2, 3, 4].map(() => untilRefused(child))))
    const ends = await Promise.all(children.map(({ taskId }) => taskOf(taskId)))
    expect(ends.map(({ failure }) => failure?.code)).toEqual(children.map(() => 'BUDGET'))
    const used = ends.reduce((sum, { cost }) => sum + cost.cost, 0)
    expect(used).toBeGreaterThan(1)
    expect(used).toBeLessThanOrEqual(1 + children.length * 0.03 + 1e-6)
  }, 60_000)

  it('count what each attempt used by itself', async () => {
    const task = await start({ retry: { attempts: 2, initialSeconds: 0 } })
    await progress(task, { tokens: 5 })
    await api.post(
      `/tasks/${task.taskId}/fail`,
      { fence: task.fence, code: 'AGENT_ERROR', message: 'x', retryable: true },
      { key: worker.token },
    )
    const again = await until(() => lease(task.taskId))
    await complete(again, { tokens: 7 })
    const { items } = (await api.get(`/tasks/${task.taskId}/attempts`)).body
    expect(items.map(({ usage }: { usage: object }) => usage)).toEqual([{ tokens: 5 }, { tokens: 7 }])
  })
})

describe('a budget of seconds', () => {
  const clock = aSetClock()
  beforeAll(() => open(() => anApi({ clock })), 30_000)
  afterAll(() => api?.close())

  it('is charged as attempts end, without anybody reporting', async () => {
    const parent = await start({ budget: { seconds: 60 } })
    const child = await start({ parent: parent.taskId })
    clock.forward(20_000)
    expect((await complete(child)).body.status).toBe('SUCCEEDED')
    const next = await start({ parent: parent.taskId })
    expect(next.budgetLeft?.seconds).toBeGreaterThan(14)
    expect(next.budgetLeft?.seconds).toBeLessThanOrEqual(25)
  })

  it('is reserved by attempts that run at once: until it has ended them all they use no more than there is', async () => {
    const parent = (await submit({ budget: { seconds: 10 } })).body.id
    const ids: string[] = []
    for (let n = 0; n < 30; n++) ids.push((await submit({ parent })).body.id)
    const started = new Set<string>()
    for (let open = ids; open.length > 0; ) {
      for (const leased of await Promise.all(open.map(lease))) if (leased) started.add(leased.taskId)
      clock.forward(250)
      await sweep(api.platform)
      const ends = await Promise.all(open.map(taskOf))
      open = open.filter((_, at) => ends[at].failure?.code !== 'BUDGET')
    }
    const used = await Promise.all(ids.map(async (id) => (await api.get(`/tasks/${id}/usage`)).body.totals.seconds))
    const sum = used.reduce((total, seconds) => total + seconds, 0)
    expect(sum).toBeGreaterThanOrEqual(10)
    expect(sum).toBeLessThan(10 + 0.25 * started.size)
    expect(started.size).toBeGreaterThan(3)
    expect(started.size).toBeLessThan(30)
  })

  it('is waited for where others have reserved the rest of it, in the queue', async () => {
    await api.post('/agents', { name: 'patient', capabilities: [{ name: 'wait' }] })
    const { body: instance } = await api.post('/instances', { agent: 'patient', slots: 9 })
    const receive = async () =>
      (await api.post(`/instances/${instance.instanceId}/lease?wait=0`, { max: 9 }, { key: instance.token })).body.tasks
    const parent = (await submit({ budget: { seconds: 1 } })).body.id
    await api.post('/tasks', { capability: 'wait', parent })
    const [first] = await receive()
    const { id } = (await api.post('/tasks', { capability: 'wait', parent })).body
    const { rev } = (await findTask(api.platform, 'default', id)) ?? {}
    expect(await receive()).toEqual([])
    expect((await findTask(api.platform, 'default', id))?.rev).toBe(rev)
    const end = { fence: first.fence, result: 1 }
    await api.post(`/tasks/${first.taskId}/complete`, end, { key: instance.token })
    clock.forward(1000)
    expect(await receive()).toMatchObject([{ taskId: id, budgetLeft: { seconds: 1 } }])
  })

  it('ends an attempt that goes on after it', async () => {
    const task = await start({ budget: { seconds: 5 } })
    clock.forward(6000)
    await expect.poll(async () => (await taskOf(task.taskId)).failure?.code).toBe('BUDGET')
  })
})
