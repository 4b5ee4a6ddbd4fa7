import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker, type RowTask } from '#test/support/row-worker.ts'
import { stepOf, workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
/** What tasks did that leave something behind, in order. */
const effects: string[] = []
let broken = true

const work = (input: never, { capability }: RowTask) => {
  const value = input as { x?: number; fail?: string; say?: string }
  if (value?.fail !== undefined && broken) return { fails: { code: value.fail, message: 'as it was told' } }
  if (capability === 'effect') effects.push(String(value.say))
  return { result: capability === 'double' ? { x: Number(value.x) * 2 } : { said: value?.say ?? value } }
}

beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['double', 'effect', 'echo'], work)
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const { save, start, ended, outcome } = workflowRuns(() => api)

describe('a run', () => {
  it('is known again under its key when the workflow takes another input by now', async () => {
    const only = 'steps: [{ name: only, kind: set, value: 1 }]'
    await save(`workflow: changing\n${only}`)
    const headers = { 'idempotency-key': 'changing' }
    const begin = () => api.post('/workflows/changing/runs', { input: 1 }, { headers })
    const first = await begin()
    await save(`workflow: changing\ninput: { type: string }\n${only}`)
    expect(await begin()).toMatchObject({ status: first.status, body: { id: first.body.id, version: 1 } })
    expect((await api.post('/workflows/changing/runs', { input: 1 })).status).toBe(422)
  })

  it('keeps lists in lists as they are written', async () => {
    const run = await outcome(`
workflow: lists
steps:
  - { name: a, kind: set, value: ['{% [1, 2] %}', 3] }
  - { name: b, kind: parallel, branches: { one: [{ name: inner, kind: set, value: [[4]] }] } }
  - name: c
    kind: map
    distributed: true
    items: [5]
    steps: [{ name: row, kind: task, capability: echo, input: ['{% $a %}', '{% $item %}'] }]
output: [[1, 2], ['{% $a %}'], '{% $a %}', '{% $b %}', '{% $c %}']
`)
    const a = [[1, 2], 3]
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: [[1, 2], [a], a, { one: [[4]] }, [{ said: [a, 5] }]] })
  })

  it('hands the outputs of its steps on, and answers what its definition says', async () => {
    const run = await outcome(
      `
workflow: sums
steps:
  - { name: first, kind: task, capability: double, input: { x: '{% $input.x %}' } }
  - name: both
    kind: parallel
    branches:
      a: [{ name: left, kind: task, capability: double, input: '{% $first %}' }]
      b: [{ name: right, kind: set, value: '{% $first.x + 1 %}' }]
  - name: doubled
    kind: map
    items: '{% [1, 2, $both.b] %}'
    steps: [{ name: one, kind: task, capability: double, input: { x: '{% $item %}' }, output: '{% $states.result.x + $index %}' }]
  - name: size
    kind: choice
    cases:
      - { when: '{% $sum($doubled) > 10 %}', steps: [{ name: big, kind: set, value: big }] }
    otherwise: [{ name: small, kind: set, value: small }]
output: { first: '{% $first.x %}', both: '{% $both %}', each: '{% $doubled %}', size: '{% $size %}', big: '{% $big %}', run: '{% $run.id %}' }
`,
      { x: 3 },
    )
    expect(run).toMatchObject({
      state: 'SUCCEEDED',
      workflow: 'sums',
      version: 1,
      output: { first: 6, both: { a: { x: 12 }, b: 7 }, each: [2, 5, 16], size: 'big', big: 'big', run: run.id },
    })
    expect(run.steps.map(({ name, state }: { name: string; state: string }) => `${name} ${state}`).sort()).toEqual(
      [
        ...['first SUCCEEDED', 'both SUCCEEDED', 'left SUCCEEDED', 'right SUCCEEDED'],
        ...['doubled SUCCEEDED', 'one SUCCEEDED', 'one SUCCEEDED', 'one SUCCEEDED'],
        ...['size SUCCEEDED', 'big SUCCEEDED', 'small SKIPPED'],
      ].sort(),
    )
    const tasks = (await api.get(`/tasks?workflowRun=${run.id}`)).body.items
    expect(tasks).toHaveLength(5)
    expect(tasks[0].workflowRun).toBe(run.id)
    const { items } = (await api.get(`/runs/${run.id}/history`)).body
    expect(items.at(0)).toMatchObject({ id: 1, type: 'ExecutionStarted' })
  })

  it('catches what failed, and tells why it ended when nothing does', async () => {
    const caught = await outcome(`
workflow: catching
steps:
  - name: risky
    kind: task
    capability: echo
    input: { fail: AGENT_ERROR }
    catch: [{ errors: [AGENT_ERROR], steps: [{ name: instead, kind: set, value: { why: '{% $riskyError.cause %}' } }] }]
output: { risky: '{% $risky %}' }
`)
    expect(caught).toMatchObject({ state: 'SUCCEEDED', output: { risky: { why: 'as it was told' } } })
    const failed = await outcome(`
workflow: failing
steps: [{ name: risky, kind: task, capability: echo, input: { fail: AGENT_ERROR } }, { name: never, kind: task, capability: echo }]
`)
    expect(failed).toMatchObject({ state: 'FAILED', error: 'AGENT_ERROR', cause: 'as it was told' })
    expect(stepOf(failed, 'never')).toEqual({ name: 'never', kind: 'task', state: 'SKIPPED' })
    expect((await api.get(`/runs/${failed.id}/why`)).body.message).toContain(
      'FAILED at step risky with AGENT_ERROR: as it was told',
    )
  })

  it('undoes what had completed when it fails, the last first, and tells what stays', async () => {
    effects.length = 0
    const effect = (name: string, undo: string) =>
      `{ name: ${name}, kind: task, capability: effect, input: { say: ${name} }, compensate: [{ name: un${name}, kind: task, ${undo} }] }`
    const run = await outcome(
      `
workflow: saga
steps:
  - ${effect('one', `capability: effect, input: { say: '{% "undo " & $output.said & " of " & $input & ": " & $error.error %}' }`)}
  - ${effect('two', 'capability: echo, input: { fail: STUCK }')}
  - ${effect('three', `capability: effect, input: { say: '{% "undo " & $one.said & " after " & $output.said %}' }`)}
  - { name: end, kind: fail, error: WRONG }
`,
      'x',
    )
    expect(run).toMatchObject({ state: 'FAILED', error: 'WRONG' })
    expect(effects).toEqual(['one', 'two', 'three', 'undo one after three', 'undo one of x: WRONG'])
    expect(run.undone).toEqual([
      { step: 'three', undone: true },
      { step: 'two', undone: false, error: 'STUCK', cause: 'as it was told' },
      { step: 'one', undone: true },
    ])
    expect(stepOf(run, 'unone')).toMatchObject({ state: 'SUCCEEDED', undoes: true })
    expect((await api.post(`/runs/${run.id}/redrive`)).body.code).toBe('CONFLICT')
  })

  it('cancels its tasks when it is stopped, and undoes what had completed', async () => {
    effects.length = 0
    const name = await save(`
workflow: stopping
steps:
  - name: made
    kind: task
    capability: effect
    input: { say: made }
    compensate: [{ name: unmade, kind: task, capability: effect, input: { say: unmade } }]
  - { name: stuck, kind: task, capability: nobody.offers.this }
`)
    const { id } = await start(name)
    const stuck = await eventually(async () => {
      const found = stepOf((await api.get(`/runs/${id}`)).body, 'stuck') as { task?: string; state: string } | undefined
      expect(found).toMatchObject({ state: 'RUNNING', task: expect.any(String) })
      return found
    })
    expect((await api.get(`/runs/${id}/why`)).body).toMatchObject({
      code: 'STEPS_RUN',
      steps: [{ code: 'NO_CAPABLE_AGENT' }],
    })
    expect((await api.post(`/runs/${id}/stop`, { reason: 'not needed' })).status).toBe(200)
    const run = await ended(id)
    expect(run).toMatchObject({
      state: 'STOPPED',
      stop: { reason: 'not needed' },
      undone: [{ step: 'made', undone: true }],
    })
    expect(stepOf(run, 'stuck')).toMatchObject({ state: 'ABANDONED' })
    expect((await api.get(`/tasks/${stuck?.task}`)).body.status).toBe('CANCELLED')
    expect(effects).toEqual(['made', 'unmade'])
  })

  it('goes on from the step that failed when it is redriven, and starts anew when it is run again', async () => {
    const name = await save(`
workflow: twice
steps:
  - { name: done, kind: task, capability: effect, input: { say: once } }
  - { name: shaky, kind: task, capability: echo, input: { fail: AGENT_ERROR, say: '{% $input.word %}' } }
output: '{% $shaky.said %}'
`)
    effects.length = 0
    const { id } = await start(name, { word: 'a' })
    expect(await ended(id)).toMatchObject({ state: 'FAILED' })
    broken = false
    expect((await api.post(`/runs/${id}/redrive`)).body).toMatchObject({ state: 'RUNNING', redrives: 1 })
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: 'a' })
    expect(effects).toEqual(['once'])
    const again = (await api.post(`/runs/${id}/rerun`, { input: { word: 'b' } })).body
    expect(await ended(again.id)).toMatchObject({ state: 'SUCCEEDED', output: 'b', rerunOf: id })
    expect((await api.post(`/runs/${id}/stop`)).body.code).toBe('ALREADY_FINISHED')
    broken = true
  })
})
