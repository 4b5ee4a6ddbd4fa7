import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { anApiAtWork } from '#test/support/row-worker.ts'
import { stepOf, workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
let close: () => Promise<void>
beforeAll(async () => {
  ;({ api, close } = await anApiAtWork())
})
afterAll(() => close?.())

const { save, start, outcome } = workflowRuns(() => api)
const begin = async (text: string, input?: unknown): Promise<string> => (await start(await save(text), input)).id
const runOf = async (id: string) => (await api.get(`/runs/${id}`)).body
const whyOf = async (id: string) => (await api.get(`/runs/${id}/why`)).body
const statesOf = (run: { steps: { name: string; state: string }[] }) =>
  run.steps.map(({ name, state }) => `${name} ${state}`)
const inTime = /20\d\d-\d\d-\d\dT[\d:.]+Z/

describe('why a run has not ended names', () => {
  it('the wait that it is in, and until when', async () => {
    const id = await begin(
      'workflow: waits\nsteps: [{ name: pause, kind: wait, for: 30d }, { name: a, kind: set, value: 1 }]',
    )
    const why = await eventually(async () => {
      const found = await whyOf(id)
      expect(found.code).toBe('STEPS_RUN')
      return found
    })
    expect(why.steps).toEqual([{ name: 'pause', code: 'WAITING', message: expect.stringMatching(/^waits until 20/) }])
    const { steps, startedAt } = await runOf(id)
    expect(Date.parse(steps[0].until) - Date.parse(startedAt)).toBeGreaterThan(2_591_000_000)
    expect(steps).toMatchObject([
      { name: 'pause', kind: 'wait', state: 'RUNNING' },
      { name: 'a', kind: 'set', state: 'PENDING' },
    ])
  })

  it('the expression that a wait has its time from', async () => {
    const id = await begin("workflow: waits-until\nsteps: [{ name: pause, kind: wait, until: '{% $input.when %}' }]", {
      when: '2999-01-01T00:00:00Z',
    })
    await eventually(async () =>
      expect((await whyOf(id)).steps[0].message).toBe('waits until the time that {% $input.when %} gives'),
    )
  })

  it('the step that is tried again, why, and when', async () => {
    const id = await begin(`
workflow: retries
steps:
  - { name: shaky, kind: task, capability: work, input: { fail: true }, retry: { attempts: 5, initialSeconds: 60 } }
`)
    await eventually(async () => {
      const [step] = (await whyOf(id)).steps
      expect(step).toMatchObject({ name: 'shaky', code: 'RETRY_LATER' })
      expect(step.message).toMatch(/^failed with BROKEN: it is so; try 2 of 5 begins by 20/)
    }, 20_000)
    const { steps } = await runOf(id)
    expect(steps).toMatchObject([
      { name: 'shaky', state: 'PENDING', attempt: 2, attempts: 5, until: expect.stringMatching(inTime) },
      { name: 'shaky', state: 'FAILED', error: 'BROKEN' },
    ])
  })

  it('the topic of a message that is waited for, until when, and how it would come', async () => {
    const id = await begin(`
workflow: listens
steps: [{ name: gate, kind: waitForEvent, topic: gates, pattern: { data: { n: [1] } }, timeout: 1h }]
`)
    await eventually(async () => {
      const [step] = (await whyOf(id)).steps
      expect(step.message).toMatch(/^waits for a message on topic gates like \{"data":\{"n":\[1\]\}\} until 20/)
      expect(step.wouldChange).toBe('publish it: devcycle messages publish gates TYPE --body JSON')
    })
  })
})

describe('an expression that fails', () => {
  it.each([
    [
      "{ name: c, kind: choice, cases: [{ when: '{% $input.five %}', steps: [{ name: x, kind: set, value: 1 }] }] }",
      'received 5',
    ],
    ["{ name: c, kind: set, value: '{% ($input.zz) %}' }", 'the expression ($input.zz) failed: it gives nothing'],
    [
      "{ name: c, kind: task, capability: work, input: '{% $input.zz %}' }",
      'the expression $input.zz failed: it gives nothing',
    ],
    [
      "{ name: c, kind: task, capability: work, output: '{% $input.zz %}' }",
      'the expression $input.zz failed: it gives nothing',
    ],
  ])('is told of with its step, as it was written: %s', async (step, cause) => {
    const run = await outcome(`workflow: wrong\nsteps: [${step}]`, { five: 5 })
    const failed = { error: 'States.QueryEvaluationError', cause: expect.stringContaining(cause) }
    expect(run).toMatchObject({ state: 'FAILED', ...failed })
    expect(run.steps.filter(({ state }: { state: string }) => state === 'FAILED')).toMatchObject([
      { name: 'c', ...failed },
    ])
    expect((await whyOf(run.id)).message).toContain(
      `is FAILED at step c with States.QueryEvaluationError: ${run.cause}`,
    )
  })
})

describe('the description of a run has', () => {
  it('every step, and the one that it is a part of', async () => {
    const run = await outcome(
      `
workflow: all
steps:
  - name: way
    kind: choice
    cases: [{ when: '{% $input = 1 %}', steps: [{ name: one, kind: set, value: 1 }] }]
    otherwise: [{ name: two, kind: set, value: 2 }]
  - name: both
    kind: parallel
    branches: { left: [{ name: a, kind: task, capability: work }], right: [{ name: b, kind: wait, for: 1 }] }
  - name: turns
    kind: repeat
    until: '{% $turnsRound = 3 %}'
    atMost: 5
    steps: [{ name: again, kind: set, value: '{% $turnsRound %}' }]
  - { name: every, kind: map, items: [1, 2], steps: [{ name: item1, kind: set, value: '{% $item %}' }] }
  - name: first
    kind: race
    branches:
      fast: [{ name: quick, kind: set, value: 1 }]
      slow: [{ name: long, kind: wait, for: 1h }]
  - name: guarded
    kind: parallel
    branches: { only: [{ name: broken, kind: fail, error: NOPE, cause: because }] }
    catch: [{ steps: [{ name: saved, kind: set, value: 1 }] }]
`,
      1,
    )
    expect(run).toMatchObject({ state: 'SUCCEEDED' })
    expect(statesOf(run).toSorted()).toEqual([
      'a SUCCEEDED',
      'again SUCCEEDED',
      'b SUCCEEDED',
      'both SUCCEEDED',
      'broken FAILED',
      'every SUCCEEDED',
      'first SUCCEEDED',
      'guarded FAILED',
      'item1 SUCCEEDED',
      'long ABANDONED',
      'one SUCCEEDED',
      'quick SUCCEEDED',
      'saved SUCCEEDED',
      'turns SUCCEEDED',
      'two SKIPPED',
      'way SUCCEEDED',
    ])
    const places = Object.fromEntries(run.steps.map((step: { name: string; in?: string }) => [step.name, step.in]))
    expect(places).toMatchObject({
      one: 'way',
      a: 'both',
      again: 'turns',
      item1: 'every',
      long: 'first',
      broken: 'guarded',
    })
    expect(stepOf(run, 'broken')).toMatchObject({ error: 'NOPE', cause: 'because' })
    expect(stepOf(run, 'guarded')).toMatchObject({ error: 'NOPE', cause: 'because' })
  })

  it('what is in a block that runs', async () => {
    const id = await begin(`
workflow: inside
steps:
  - name: way
    kind: choice
    cases: [{ when: '{% true %}', steps: [{ name: pause, kind: wait, for: 1h }] }]
  - name: timed
    kind: race
    timeout: 2h
    branches: { a: [{ name: x, kind: set, value: 1 }] }
`)
    await eventually(async () =>
      expect(statesOf(await runOf(id))).toEqual(['way RUNNING', 'pause RUNNING', 'timed PENDING', 'x PENDING']),
    )
    await api.post(`/runs/${id}/stop`)
    await eventually(async () =>
      expect(statesOf(await runOf(id))).toEqual(['way ABANDONED', 'pause ABANDONED', 'timed SKIPPED', 'x SKIPPED']),
    )
  })

  it('blocks with a time of their own, and tries', async () => {
    const run = await outcome(`
workflow: timed
steps:
  - name: quick
    kind: race
    timeout: 1h
    retry: {}
    branches: { a: [{ name: x, kind: set, value: 1 }] }
  - name: slow
    kind: parallel
    timeout: 1s
    branches: { a: [{ name: pause, kind: wait, for: 1h }] }
`)
    expect(statesOf(run)).toEqual(['quick SUCCEEDED', 'x SUCCEEDED', 'slow FAILED', 'pause ABANDONED'])
    expect(stepOf(run, 'slow')).toMatchObject({ error: 'TIMEOUT', cause: 'slow took longer than 1 s' })
  })

  it('a step that runs again when its run is redriven', async () => {
    const run = await outcome(`
workflow: redriven
steps:
  - { name: a, kind: set, value: 1 }
  - { name: open, kind: state, key: k }
  - { name: bad, kind: set, value: '{% $open = null ? $input.zz : 1 %}' }
`)
    expect(statesOf(run)).toEqual(['a SUCCEEDED', 'open SUCCEEDED', 'bad FAILED'])
    await api.post(`/runs/${run.id}/redrive`)
    await eventually(async () => expect(await runOf(run.id)).toMatchObject({ state: 'FAILED', redrives: 1 }))
    expect(statesOf(await runOf(run.id))).toEqual(['a SUCCEEDED', 'open SUCCEEDED', 'bad FAILED'])
  })
})
