import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Joined, LeasedTask } from '#shared/contracts/worker.ts'
import { awaited, type Calls } from '../calls.ts'

/** The row that cannot be a task, and the one whose task fails, by line. */
const [broken, bad] = [50, 77]
const lineOf = (n: number): string => (n === broken ? 'no JSON' : JSON.stringify({ n }))

/** Many tasks in one request; so many rows in a batch. */
export const batchScenarios = (calls: Calls, rows: number) => {
  const numbers = Array.from({ length: rows }, (_, at) => at + 1)
  const { work, post, get, json, lease, tell, ended, next } = calls

  /** Does every row until there are none left; the numbers that it saw. */
  const doRows = async (worker: Joined, isOver: () => boolean): Promise<number[]> => {
    const seen: number[] = []
    while (!isOver()) {
      const tasks = await lease(worker, 100, 1)
      const numberOf = (task: LeasedTask) => (task.input as { n: number }).n
      seen.push(...tasks.map(numberOf))
      const [failing, fine] = [
        tasks.filter((one) => numberOf(one) === bad),
        tasks.filter((one) => numberOf(one) !== bad),
      ]
      for (const one of failing) await tell('fail', worker, one, { code: 'BAD_ROW', message: 'bad', retryable: false })
      if (fine.length === 0) continue
      const completions = fine.map(({ taskId, fence }) => ({ taskId, fence, result: 1 }))
      const { body } = await post(`/instances/${worker.instanceId}/complete`, { completions }, { key: worker.token })
      expect(body.outcomes.filter(({ status }: { status: number }) => status !== 200)).toEqual([])
    }
    return seen
  }

  it(`makes a task of each of ${rows} rows, once, and reports those that failed`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'devcycle-rows-'))
    writeFileSync(join(folder, 'rows.jsonl'), numbers.map(lineOf).join('\n'))
    const { ref } = await json('objects', 'put', join(folder, 'rows.jsonl'))
    const worker = await work('aws.rows', { slots: 100 })
    const task = { capability: 'aws.rows', priority: 'high', retry: { attempts: 1 } }
    const made = await post('/batches', { input: ref, task, maxInFlight: 400 })
    expect(made).toMatchObject({ status: 202, body: { state: 'RUNNING' } })
    let over = false
    const doing = doRows(worker, () => over)
    const batch = await awaited(
      async () => {
        const now = await get(`/batches/${made.body.id}`)
        return now.state !== 'RUNNING' && now
      },
      'the end of the batch',
      300,
    ).finally(() => (over = true))
    expect(batch).toMatchObject({
      state: 'PARTIAL',
      percent: 100,
      counts: { total: rows, succeeded: rows - 2, failed: 2, cancelled: 0 },
    })
    const expected = numbers.filter((n) => n !== broken)
    expect((await doing).toSorted((a, b) => a - b)).toEqual(expected)
    const report = (await fetch((await get(`/objects/${batch.report.$ref}`)).download.url)).text()
    expect(
      (await report)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { line: broken, code: 'INVALID', message: expect.stringContaining('not JSON') },
      { line: bad, task: expect.stringMatching(/^tsk_/), code: 'BAD_ROW', message: 'bad' },
    ])
    rmSync(folder, { recursive: true })
  }, 360_000)

  it('answers for each task of a request by itself', async () => {
    const worker = await work('aws.several')
    const tasks = [
      { capability: 'aws.several' },
      { capability: 'aws.several', colour: 'red' },
      { agent: 'aws.unknown' },
    ]
    const { status, body } = await post(
      '/tasks:batch',
      { tasks },
      { headers: { 'idempotency-key': `several-${Date.now()}` } },
    )
    expect([status, body.items.map((one: { status: number }) => one.status)]).toEqual([200, [202, 422, 404]])
    const only = await next(worker)
    expect(only.taskId).toBe(body.items[0].task.id)
    await tell('complete', worker, only, { result: 'done' })
    expect(await ended(only.taskId)).toMatchObject({ status: 'SUCCEEDED', result: 'done' })
  })
}
