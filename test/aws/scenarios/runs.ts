import { expect, it } from 'vitest'
import type { TestRepository } from '#test/support/git-repository.ts'
import { awaited, type Calls, type Json } from '../calls.ts'
import type { Deployment } from '../deployment.ts'

const branches = `
  - name: both
    kind: parallel
    branches:
      left: [{ name: left, kind: task, capability: aws.way, input: { step: left, x: '{% $first.x %}' } }]
      right: [{ name: right, kind: task, capability: aws.way, input: { step: right, x: 1 } }]`
const again = `
    retry: { attempts: 2, errors: [NOT_TODAY], initialSeconds: 1, maxSeconds: 1 }`
/** With branches and a step that is tried again, where the emulator can do that. */
const definitionOf = (whole: boolean) => `
workflow: aws-way
steps:
  - { name: first, kind: task, capability: aws.way, input: { step: first, x: '{% $input.x %}' } }${whole ? branches : ''}
  - name: shaky
    kind: task
    capability: aws.way
    input: { step: shaky, x: 0 }${whole ? again : ''}
    catch:
      - errors: [NOT_TODAY]
        steps: [{ name: excused, kind: set, value: '{% $shakyError.error %}' }]
  - { name: decision, kind: approval, prompt: '{% "Ship " & $first.x & "?" %}', people: [ann], timeout: 1d }
output: { first: '{% $first.x %}', excused: '{% $excused %}', approved: '{% $decision.approved %}'${whole ? ", both: '{% $both %}'" : ''} }
`

const waiting = `
workflow: aws-waits
steps:
  - name: both
    kind: parallel
    branches:
      a: [{ name: one, kind: task, capability: aws.nobody-comes, input: {} }]
      b: [{ name: two, kind: task, capability: aws.nobody-comes, input: {} }]
`

/** What an emulator's Step Functions cannot do with runs. */
export type RunsCannot = { branches?: string; stop?: string }

/** Workflows on Step Functions: steps that agents and people do, failures, stops, and one that ships. */
export const runScenarios = (
  app: () => Deployment,
  calls: Calls,
  {
    agents,
    repository,
    cannot,
  }: { agents: (...names: string[]) => Promise<void>; repository: () => TestRepository; cannot: RunsCannot },
) => {
  const { work, get, post, next, tell, json } = calls
  const save = async (text: string) =>
    expect(await post('/workflows', { definition: text })).toMatchObject({ status: 201, body: { latest: 1 } })
  const start = async (workflow: string, input: unknown = {}): Promise<string> =>
    (await post(`/workflows/${workflow}/runs`, { input })).body.id
  const over = (id: string, seconds = 100): Promise<Json> =>
    awaited(
      async () => {
        const run = await get(`/runs/${id}`)
        return !['RUNNING', 'COMPENSATING'].includes(run.state) && run
      },
      `the end of ${id}`,
      seconds,
    )
  const approvalOf = async (run: string, seconds = 60): Promise<string> =>
    awaited(
      async () =>
        (await get('/approvals?state=PENDING&limit=200')).items.find((one: Json) => one.step?.run === run)?.id,
      `the approval of ${run}`,
      seconds,
    )

  const told = (why: string | undefined): string => (why === undefined ? '' : `: ${why}`)
  const withBranches = it.skipIf(cannot.branches)

  it(`runs a posted workflow with tasks, a failure that is caught, and a person${told(cannot.branches)}`, async () => {
    const whole = cannot.branches === undefined
    const worker = await work('aws.way', { slots: 3 })
    await save(definitionOf(whole))
    const id = await start('aws-way', { x: 3 })
    const wanted = whole ? ['first', 'left', 'right', 'shaky', 'shaky'] : ['first', 'shaky']
    const done: string[] = []
    while (done.length < wanted.length) {
      const task = await next(worker)
      const { step, x } = task.input as { step: string; x: number }
      done.push(step)
      if (step === 'shaky') await tell('fail', worker, task, { code: 'NOT_TODAY', message: 'no', retryable: false })
      else await tell('complete', worker, task, { result: { x: x * 2 } })
    }
    expect(done.toSorted()).toEqual(wanted)
    const approval = await approvalOf(id)
    await awaited(
      async () => (await get(`/runs/${id}/why`)).steps.some(({ code }: Json) => code === 'WAITING_FOR_APPROVAL'),
      'the reason why the run waits',
    )
    expect((await post(`/approvals/${approval}/approve`)).status).toBe(200)
    const run = await over(id)
    expect(run).toMatchObject({
      state: 'SUCCEEDED',
      output: {
        approved: true,
        ...(whole && { first: 6, excused: 'NOT_TODAY', both: { left: { x: 12 }, right: { x: 2 } } }),
      },
    })
    const ends = wanted.map((name) => `${name} ${name === 'shaky' ? 'FAILED' : 'SUCCEEDED'}`)
    const asked = run.steps.filter(({ kind }: Json) => kind === 'task' || kind === 'approval')
    const steps = asked.map(({ name, state }: Json) => `${name} ${state}`)
    expect(steps.toSorted()).toEqual(['decision SUCCEEDED', ...ends].toSorted())
    expect((await get(`/tasks?workflowRun=${id}`)).items).toHaveLength(wanted.length)
  })

  it.skipIf(cannot.stop)(`ends a run that is stopped, and its tasks${told(cannot.stop)}`, async () => {
    await save(waiting)
    const id = await start('aws-waits')
    const tasks = await awaited(async () => {
      const { items } = await get(`/tasks?workflowRun=${id}`)
      return items.length === 2 && items
    }, 'the tasks of the run')
    expect((await post(`/runs/${id}/stop`, { reason: 'changed our minds' })).status).toBe(200)
    expect(await over(id)).toMatchObject({
      state: 'STOPPED',
      error: 'STOPPED',
      stop: { reason: 'changed our minds' },
    })
    for (const { id: task } of tasks) expect(await calls.ended(task)).toMatchObject({ status: 'CANCELLED' })
  })

  it('has the workflows that ship', async () => {
    const { items } = await get('/workflows?limit=200')
    expect(items.map(({ name }: Json) => name)).toEqual(expect.arrayContaining(['nightly', 'pull-request', 'release']))
  })

  withBranches(
    `runs pull-request on a repository with the agents of the deploy${told(cannot.branches)}`,
    async () => {
      await agents('code-reviewer', 'test-runner', 'release-notes')
      const words = ['run', 'pull-request', '--repository', repository().folder, '--no-follow', '--json']
      const { id } = await json(...words)
      expect((await post(`/approvals/${await approvalOf(id, 110)}/approve`)).status).toBe(200)
      expect(await over(id, 110)).toMatchObject({
        state: 'SUCCEEDED',
        version: 1,
        output: {
          review: { error: 1 },
          tests: { status: 'passed', failed: 0 },
          approved: true,
          notes: { markdown: expect.any(String) },
        },
      })
      expect((await app().cli('runs', 'why', id)).code).toBe(0)
    },
    300_000,
  )
}
