import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { stepOf, workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api?.close())

const { save, start, ended, outcome } = workflowRuns(() => api)
const whyOf = async (run: { id: string }): Promise<string> => (await api.get(`/runs/${run.id}/why`)).body.message

const waiting = [
  'kind: task, capability: nobody.does',
  'kind: approval, prompt: ok',
  'kind: waitForEvent, topic: never',
]
const late = { error: 'TIMEOUT', cause: 'a took longer than 1 s' }

describe('a step that takes too long', () => {
  it.each(waiting)('fails its run, and says so: %s', async (step) => {
    const run = await outcome(`
workflow: late
steps:
  - name: both
    kind: parallel
    branches:
      late: [{ name: a, ${step}, timeout: 1s }]
      other: [{ name: b, kind: waitForEvent, topic: never }]
`)
    expect(run).toMatchObject({ state: 'FAILED', ...late })
    expect(stepOf(run, 'a')).toMatchObject({ state: 'FAILED', ...late })
    expect(stepOf(run, 'b')).toMatchObject({ state: 'ABANDONED' })
    expect(await whyOf(run)).toContain('TIMEOUT: a took longer than 1 s')
  })

  it.each(waiting)('says so to what catches it: %s', async (step) => {
    const run = await outcome(`
workflow: caught
steps:
  - { name: a, ${step}, timeout: 1s, catch: [{ errors: [TIMEOUT], steps: [{ name: c, kind: set, value: '{% $aError %}' }] }] }
  - { name: pause, kind: wait, for: 1 }
output: '{% $c %}'
`)
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: late })
    expect(stepOf(run, 'a')).toMatchObject({ state: 'FAILED' })
  })

  it('is told of by the block that it is in', async () => {
    const run = await outcome(`
workflow: blocked
steps:
  - name: p
    kind: parallel
    branches: { one: [{ name: a, ${waiting[0]}, timeout: 1s }] }
    catch: [{ steps: [{ name: c, kind: set, value: '{% $pError %}' }] }]
`)
    expect(run.output).toEqual({ error: 'TIMEOUT', cause: 'a step of p took longer than it may' })
  })

  it('runs again when its run is redriven', async () => {
    const run = await outcome(`workflow: again\nsteps: [{ name: a, ${waiting[1]}, timeout: 1s }]`)
    await api.post(`/runs/${run.id}/redrive`)
    const again = await ended(run.id)
    expect(again).toMatchObject({ state: 'FAILED', ...late, redrives: 1 })
    expect(again.steps).toMatchObject([
      { name: 'a', state: 'FAILED' },
      { name: 'a', state: 'FAILED' },
    ])
  })
})

it('a run that takes too long says so', async () => {
  const id = (await start(await save('workflow: slow\ntimeout: 1s\nsteps: [{ name: w, kind: wait, for: 1h }]'))).id
  const cause = `run ${id} took longer than 1 s`
  expect(await ended(id)).toMatchObject({ state: 'TIMED_OUT', error: 'TIMEOUT', cause })
  expect(await whyOf({ id })).toBe(`run ${id} is TIMED_OUT with TIMEOUT: ${cause}`)
})
