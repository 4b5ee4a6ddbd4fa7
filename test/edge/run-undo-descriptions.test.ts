import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { anApiAtWork } from '#test/support/row-worker.ts'
import { stepOf, workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
const { save, start, ended } = workflowRuns(() => api)
const runOf = async (id: string) => (await api.get(`/runs/${id}`)).body
const whyOf = async (id: string) => (await api.get(`/runs/${id}/why`)).body

let close: () => Promise<void>
beforeAll(async () => {
  ;({ api, close } = await anApiAtWork())
})
afterAll(() => close?.())

/** A run whose one completed step is undone by these steps. */
const undoneBy = async (compensate: string): Promise<string> => {
  const text = `
workflow: saga
steps:
  - { name: booked, kind: task, capability: work, compensate: [${compensate}] }
  - { name: no, kind: fail, error: NO }
`
  return (await start(await save(text))).id
}
const whyOnce = (id: string, name: string, code: string) =>
  eventually(async () => {
    const why = await whyOf(id)
    expect(why.steps).toMatchObject([{ name, code }])
    return why
  })

describe('why a run is still being undone names the step that undoes, and', () => {
  it('the task that it waits for', async () => {
    const id = await undoneBy('{ name: unbooked, kind: task, capability: rare }')
    await whyOnce(id, 'unbooked', 'NO_CAPABLE_AGENT')
  })

  it('the response that it waits for', async () => {
    const id = await undoneBy('{ name: returned, kind: request, to: { agent: hand }, type: take.back }')
    await whyOnce(id, 'returned', 'WAITING_FOR_RESPONSE')
  })

  it('the time that it waits for', async () => {
    const id = await undoneBy('{ name: cooled, kind: wait, for: 30d }')
    const { message } = await whyOnce(id, 'cooled', 'WAITING')
    expect(message).toMatch(/ is undone, since it ended as FAILED: step cooled: waits until 20/)
    expect((await runOf(id)).steps).toMatchObject([
      { name: 'booked', state: 'SUCCEEDED' },
      { name: 'no', state: 'FAILED' },
      { name: 'cooled', kind: 'wait', state: 'RUNNING', undoes: true, until: expect.any(String) },
    ])
  })

  it('what is done instead of it, and what that is a part of', async () => {
    const instead = '{ name: both, kind: parallel, branches: { one: [{ name: cooled, kind: wait, for: 30d }] } }'
    const id = await undoneBy(
      `{ name: unbooked, kind: task, capability: work, input: { fail: true }, catch: [{ steps: [${instead}] }] }`,
    )
    await whyOnce(id, 'cooled', 'WAITING')
    expect((await runOf(id)).steps.slice(2)).toMatchObject([
      { name: 'unbooked', state: 'FAILED', undoes: true },
      { name: 'both', kind: 'parallel', state: 'RUNNING', undoes: true },
      { name: 'cooled', in: 'both', state: 'RUNNING', undoes: true },
    ])
  })

  it('when it is tried again, and why', async () => {
    const id = await undoneBy(
      '{ name: unbooked, kind: task, capability: work, input: { fail: true }, retry: { attempts: 5, initialSeconds: 60 } }',
    )
    const { steps } = await whyOnce(id, 'unbooked', 'RETRY_LATER')
    expect(steps[0].message).toMatch(/^failed with BROKEN: it is so; try 2 of 5 begins by 20/)
    expect(stepOf(await runOf(id), 'unbooked')).toMatchObject({ state: 'PENDING', attempt: 2, undoes: true })
  })
})

it('a run that was undone tells of each step that did so, and of the one that the run failed in', async () => {
  const id = await undoneBy(`
    { name: cooled, kind: wait, for: 1 },
    { name: unbooked, kind: task, capability: work, input: { fail: true }, catch: [{ steps: [{ name: again, kind: fail, error: NO }] }] }`)
  const run = await ended(id)
  expect(run).toMatchObject({ state: 'FAILED', undone: [{ step: 'booked', undone: false, error: 'NO' }] })
  expect(stepOf(run, 'cooled')).toMatchObject({ state: 'SUCCEEDED', undoes: true })
  expect(stepOf(run, 'again')).toMatchObject({ state: 'FAILED', error: 'NO', undoes: true })
  expect((await whyOf(id)).message).toContain('is FAILED at step no with NO; booked could not be undone')
})
