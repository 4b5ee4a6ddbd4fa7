import { createParser } from 'eventsource-parser'
import { expect, it } from 'vitest'
import type { TaskEvent } from '#shared/contracts/tasks.ts'
import { awaited, type Calls } from '../calls.ts'
import type { Deployment } from '../deployment.ts'

/** What a task tells and asks while it runs, and what that costs. */
export const conversationScenarios = (app: () => Deployment, calls: Calls) => {
  const { work, get, post, tell, taskOf, ended, why, submit, next } = calls

  /** The events that a reader is sent until the stream ends. */
  const follow = async (id: string, after = 0): Promise<TaskEvent[]> => {
    const headers = {
      authorization: `Bearer ${app().apiKey}`,
      accept: 'text/event-stream',
      ...(after > 0 && { 'last-event-id': `${after}` }),
    }
    const response = await fetch(`${app().url}/api/v2/tasks/${id}/events`, { headers })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const events: TaskEvent[] = []
    const parser = createParser({
      onEvent: ({ id: seq, event, data }) => events.push({ ...JSON.parse(data), seq: Number(seq), type: event }),
    })
    parser.feed(await response.text())
    return events
  }
  const chunksOf = (events: TaskEvent[]) =>
    events.flatMap(({ type, data }) => (type === 'task.output' ? [data.chunk] : []))

  it('streams what a task puts out, in order, to readers that resume where they were', async () => {
    const worker = await work('aws.talks')
    const id = await submit('aws.talks')
    const task = await next(worker)
    for (const from of [0, 3, 6])
      await tell('progress', worker, task, {
        percent: from * 10,
        output: [0, 1, 2].map((n) => ({ chunk: { n: from + n } })),
      })
    await tell('complete', worker, task, { result: 'said' })
    await ended(id)
    const all = await awaited(async () => {
      const events = await follow(id)
      return events.some(({ data }) => data.status === 'SUCCEEDED') ? events : undefined
    }, 'the whole stream')
    expect(chunksOf(all)).toEqual(Array.from({ length: 9 }, (_, n) => ({ n })))
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, at) => at + 1))
    const half = all.find(({ data }) => (data.chunk as { n?: number } | undefined)?.n === 4)?.seq ?? 0
    expect(await follow(id, half)).toEqual(all.slice(half))
    const page = await get(`/tasks/${id}/events?after=${half}&limit=3`)
    expect(page.items).toMatchObject(all.slice(half, half + 3).map(({ seq, data }) => ({ seq, data })))
    const rest = await get(`/tasks/${id}/events?limit=200&cursor=${page.nextCursor}`)
    expect([...page.items, ...rest.items].map(({ seq }: TaskEvent) => seq)).toEqual(
      all.slice(half).map(({ seq }) => seq),
    )
  })

  it('lets a task wait for an approval without a slot, and go on with it', async () => {
    const worker = await work('aws.asks')
    const id = await submit('aws.asks')
    const asked = { kind: 'approval', prompt: { ship: '1.2.3' }, checkpoint: { at: 1 }, approvers: ['ann'] }
    const waiting = await tell('wait', worker, await next(worker), asked)
    expect(waiting).toMatchObject({ status: 200, body: { status: 'WAITING' } })
    const other = await submit('aws.asks')
    const meanwhile = await next(worker)
    expect(meanwhile.taskId).toBe(other)
    await tell('complete', worker, meanwhile, { result: 1 })
    const [approval] = await awaited(async () => {
      const { items } = await get(`/approvals?state=PENDING&task=${id}`)
      return items.length > 0 && items
    }, 'the approval')
    expect(approval).toMatchObject({ task: id, prompt: { ship: '1.2.3' }, approvers: ['ann'] })
    expect(await why(id)).toMatchObject({ code: 'WAITING_FOR_APPROVAL' })
    const decided = await post(`/approvals/${approval.id}/approve`, { comment: 'fine' })
    expect(decided).toMatchObject({ status: 200, body: { state: 'APPROVED' } })
    const again = await next(worker)
    expect(again).toMatchObject({
      taskId: id,
      attempt: 1,
      checkpoint: { at: 1 },
      resume: { kind: 'approval', response: { approved: true, comment: 'fine' } },
    })
    await tell('complete', worker, again, { result: 'shipped' })
    expect(await taskOf(id)).toMatchObject({ status: 'SUCCEEDED', result: 'shipped' })
  })

  it('fails the task that an approver rejects', async () => {
    const worker = await work('aws.rejected')
    const id = await submit('aws.rejected')
    const { body } = await tell('wait', worker, await next(worker), { kind: 'approval', prompt: 'ship?' })
    expect((await post(`/approvals/${body.waiting.approval}/reject`, { comment: 'no' })).status).toBe(200)
    expect(await ended(id)).toMatchObject({ status: 'FAILED', failure: { code: 'REJECTED' } })
  })

  it('ends a task that spends more than its budget, and bounds what it calls', async () => {
    const worker = await work('aws.spends', { slots: 2 })
    const id = await submit('aws.spends', { budget: { tokens: 100, children: 1 } })
    const task = await next(worker)
    expect(task.budgetLeft).toMatchObject({ tokens: 100 })
    expect((await tell('progress', worker, task, { usage: { tokens: 60 } })).status).toBe(202)
    const child = { capability: 'aws.spends', parent: id, budget: { tokens: 50 } }
    expect(await post('/tasks', child)).toMatchObject({ status: 409, body: { code: 'BUDGET' } })
    await tell('progress', worker, task, { usage: { tokens: 60 } })
    expect(await ended(id)).toMatchObject({
      status: 'FAILED',
      failure: { code: 'BUDGET', message: expect.stringContaining('tokens') },
      cost: { tokens: 120 },
    })
    expect(await tell('complete', worker, task, { result: 1 })).toMatchObject({
      status: 409,
      body: { code: 'STALE_FENCE' },
    })
  })
}
