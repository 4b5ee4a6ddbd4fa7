import { afterAll, expect, it } from 'vitest'
import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { pageOfApprovals } from '#shared/domain/approvals/approval-store.ts'
import { closeStepApproval } from '#shared/domain/approvals/close-approval.ts'
import { loadBody } from '#shared/domain/bodies/body.ts'
import { cancelBySystem } from '#shared/domain/tasks/cancel-children.ts'
import { listTasks } from '#shared/domain/tasks/list-tasks.ts'
import { isFinished } from '#shared/domain/tasks/task.ts'
import { listSubscriptions } from '#shared/domain/topics/topic-store.ts'
import { attendRun } from '#shared/domain/workflows/attend-run.ts'
import { endRun } from '#shared/domain/workflows/end-run.ts'
import { redriveRun } from '#shared/domain/workflows/redrive-run.ts'
import { isOver, type Run, type RunStep } from '#shared/domain/workflows/run.ts'
import { getRun, listRuns, stepsOf } from '#shared/domain/workflows/run-store.ts'
import { saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import { startRun } from '#shared/domain/workflows/start-run.ts'
import { endStep } from '#shared/domain/workflows/steps/end-step.ts'
import { stopRun } from '#shared/domain/workflows/stop-run.ts'
import { getVersion, getWorkflow, workflowPk } from '#shared/domain/workflows/workflow-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { deathsAmong, dying } from '#test/support/dying-platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventually } from '#test/support/eventually.ts'
import { anAdmin, rowTools } from '#test/support/fan-outs.ts'
import { meanwhile } from '#test/support/meanwhile.ts'
import { atEveryMoment, runsByHand } from '#test/support/runs-by-hand.ts'

const tenant = 'default'
const { platform, close } = await aPlatform()
afterAll(close)
const { save, start, commandOf, take } = runsByHand(platform)

/** What somebody might still work on, decide, or match. */
const leftOver = async (): Promise<string[]> => {
  const tasks = await listTasks(platform, tenant, { filter: { labels: [] }, limit: 1000 })
  const approvals = await pageOfApprovals(platform, tenant, { open: true, limit: 1000 })
  const runs = await listRuns(platform, tenant, { limit: 1000 })
  const subscriptions = await listSubscriptions(platform, tenant, { limit: 1000 })
  return [
    ...tasks.items.filter((task) => !isFinished(task)).map(({ id, status }) => `${id} ${status}`),
    ...approvals.items.map(({ value }) => `${value.id} ${value.state}`),
    ...runs.items.filter((run) => !isOver(run) && run.stop === undefined).map(({ id, state }) => `${id} ${state}`),
    ...subscriptions.items.map(({ value }) => value.id),
  ]
}

await save('child', [{ name: 'inner', kind: 'task', capability: 'nobody' }])
const steps = [
  { kind: 'task', capability: 'nobody' },
  { kind: 'approval', prompt: 'go on?' },
  { kind: 'subWorkflow', workflow: 'child' },
  { kind: 'waitForEvent', topic: 'builds' },
]

it.each(steps)('a $kind that is begun while its run ends, at whatever moment, ends with it', async (step) => {
  const workflow = await save(`ending-${step.kind}`, [{ name: 'asked', ...step }])
  const moments = await atEveryMoment(async (moment) => {
    const run = await start(workflow)
    const command = await commandOf(run, 'asked')
    const stop = async () => {
      await stopRun(platform, anAdmin, run.id)
      await endRun(platform, { tenant, workflow, run: run.id })
    }
    const during = meanwhile(platform, moment, stop)
    await take(command, during.platform)
    if (!during.happened()) await stop()
    const about = `write ${moment.nth}, ${moment.after ? 'stored' : 'not stored'}`
    expect(await leftOver(), about).toEqual([])
    expect(
      (await stepsOf(platform, run)).map(({ value }) => value.state),
      about,
    ).toEqual(['ABANDONED'])
    return during.happened()
  })
  expect(moments).toBeGreaterThanOrEqual(3)
})

it('a step that is begun while its race ends, or after that, ends with it', async () => {
  const workflow = await save('racing', [
    {
      name: 'contest',
      kind: 'race',
      branches: {
        slow: [{ name: 'late', kind: 'task', capability: 'nobody' }],
        fast: [{ name: 'won', kind: 'set', value: 1 }],
      },
    },
    { name: 'after', kind: 'approval', prompt: 'go on?' },
  ])
  const moments = await atEveryMoment(async (moment) => {
    const run = await start(workflow)
    const [late, abandon] = [await commandOf(run, 'late'), await commandOf(run, 'contest')]
    const during = meanwhile(platform, moment, () => take(abandon))
    await take(late, during.platform)
    const about = `write ${moment.nth}, ${moment.after ? 'stored' : 'not stored'}`
    if (during.happened()) expect(await leftOver(), about).toEqual([`${run.id} RUNNING`])
    await stopRun(platform, anAdmin, run.id)
    await endRun(platform, { tenant, workflow, run: run.id })
    return during.happened()
  })
  expect(moments).toBeGreaterThanOrEqual(3)
})

it('a run that nothing can undo ends all the same, and says so', async () => {
  const compensate = [{ name: 'unmade', kind: 'task', capability: 'nobody' }]
  const workflow = await save('undoing', [
    { name: 'made', kind: 'task', capability: 'nobody', compensate },
    { name: 'asked', kind: 'approval', prompt: 'go on?' },
  ])
  const run = await start(workflow)
  const made = await commandOf(run, 'made')
  await take(made)
  const [step] = await stepsOf(platform, run)
  await endStep(platform, { tenant, run: run.id, id: step?.value.id ?? '' }, { output: 1 })
  await commandOf(run, 'asked')
  await stopRun(platform, anAdmin, run.id)
  const refuse = () => Promise.reject(new PlatformError('TOO_LARGE', 'the input has 300000 bytes'))
  await endRun({ ...platform, workflows: { ...platform.workflows, start: refuse } }, { tenant, workflow, run: run.id })
  const undone = [{ step: '*', undone: false, error: 'TOO_LARGE', cause: 'the input has 300000 bytes' }]
  expect((await getRun(platform, tenant, run.id)).value).toMatchObject({ state: 'STOPPED', undone })
})

it('a definition that its host refuses is no version, and a run whose machine nobody can start fails with that', async () => {
  const workflow = await save('refused', [{ name: 'asked', kind: 'approval', prompt: 'go on?' }])
  const no = () => Promise.reject(new PlatformError('INVALID', 'Step Functions refuses the definition'))
  const without = (refused: object): Platform => ({ ...platform, workflows: { ...platform.workflows, ...refused } })
  const compiled = compileWorkflow({ workflow, steps: [{ name: 'other', kind: 'set', value: 1 }] })
  const command = { name: workflow, source: 'another one', compiled }
  await expect(saveWorkflow(without({ deploy: no }), anAdmin, command)).rejects.toMatchObject({
    code: 'INVALID',
    errors: [{ pointer: '#/definition', message: 'Step Functions refuses the definition' }],
  })
  expect((await getWorkflow(platform, tenant, workflow)).value.latest).toBe(1)
  const run = await startRun(without({ start: no }), anAdmin, { workflow }, rowTools.checkInput)
  expect(run).toMatchObject({ state: 'FAILED', error: 'INVALID', cause: 'Step Functions refuses the definition' })
})

it('two who save other definitions at once get a version each, with the machine that is theirs', async () => {
  const workflow = await save('at-once', [{ name: 'first', kind: 'set', value: 0 }])
  const saves = [1, 2, 3].map((value) => save(workflow, [{ name: 'first', kind: 'set', value }]))
  await Promise.all(saves)
  for (const version of ['2', '3', '4']) {
    const run = await startRun(platform, anAdmin, { workflow, version }, rowTools.checkInput)
    const { source: body } = await getVersion(platform, tenant, workflow, Number(version))
    const source = (await loadBody(platform, { tenant, pk: workflowPk(tenant, workflow), body })) as Definition
    const [step] = source.steps as { value: number }[]
    await eventually(async () =>
      expect(await platform.workflows.describe({ tenant, workflow, run: run.id })).toMatchObject({
        output: step?.value,
      }),
    )
  }
})

/** A run that has failed, as its machine has. */
const failedRun = async (name: string): Promise<Run> => {
  const workflow = await save(name, [{ name: 'asked', kind: 'approval', prompt: 'go on?' }])
  const run = await start(workflow)
  const { token = '' } = await commandOf(run, 'asked')
  await platform.workflows.fail(token, { error: 'WRONG' })
  await endRun(platform, { tenant, workflow, run: run.id })
  expect((await getRun(platform, tenant, run.id)).value.state).toBe('FAILED')
  return run
}

it('a redrive that the machine refuses is a conflict, and the run stays as it was', async () => {
  const { id } = await failedRun('refusing')
  const before = (await getRun(platform, tenant, id)).value
  const redrive = async () => false
  const refusing = { ...platform, workflows: { ...platform.workflows, redrive } }
  await expect(redriveRun(refusing, anAdmin, id)).rejects.toMatchObject({ code: 'CONFLICT' })
  expect((await getRun(platform, tenant, id)).value).toEqual(before)
})

it('a run that is redriven twice at once, or whose old end is told once more, goes on once', async () => {
  const moments = await atEveryMoment(async (moment) => {
    const { id, workflow } = await failedRun('going-on')
    const ref = { tenant, workflow, run: id }
    const others = async () => {
      await endRun(platform, ref)
      await redriveRun(platform, anAdmin, id).catch(() => undefined)
      await endRun(platform, ref)
    }
    const during = meanwhile(platform, moment, others)
    await redriveRun(during.platform, anAdmin, id).catch(() => undefined)
    const about = `write ${moment.nth}, ${moment.after ? 'stored' : 'not stored'}`
    expect((await getRun(platform, tenant, id)).value, about).toMatchObject({ state: 'RUNNING', redrives: 1 })
    expect(await platform.workflows.describe(ref), about).toMatchObject({ status: 'RUNNING' })
    await stopRun(platform, anAdmin, id)
    return during.happened()
  })
  expect(moments).toBeGreaterThanOrEqual(2)
})

it('a redrive that breaks off at any write is made good by the next look, also when the machine has ended again', async () => {
  for (const { last, stored } of deathsAmong(2)) {
    const { id, workflow } = await failedRun('breaking-off')
    await redriveRun(dying(platform, last, stored), anAdmin, id).catch(() => undefined)
    await attendRun(platform, tenant, id)
    const { state, redrives } = (await getRun(platform, tenant, id)).value
    const about = `death at write ${last}, ${stored ? 'stored' : 'not stored'}`
    const isMarked = last > 1 || stored
    expect({ state, redrives }, about).toEqual(
      isMarked ? { state: 'RUNNING', redrives: 1 } : { state: 'FAILED', redrives: 0 },
    )
    if (!isMarked) continue
    const { token = '' } = await commandOf({ id }, 'asked')
    await platform.workflows.fail(token, { error: 'WRONG' })
    await attendRun(platform, tenant, id)
    expect((await getRun(platform, tenant, id)).value, about).toMatchObject({ state: 'FAILED', redrives: 1 })
    expect(await platform.workflows.describe({ tenant, workflow, run: id })).toMatchObject({ status: 'FAILED' })
  }
})

type Begun = Pick<RunStep, 'task' | 'approval' | 'child'>
const ends: { step: object; error: string; end: (begun: Begun) => Promise<unknown> }[] = [
  {
    step: { kind: 'task', capability: 'nobody' },
    error: 'CANCELLED',
    end: ({ task = '' }) => cancelBySystem(platform, tenant, task, 'test'),
  },
  {
    step: { kind: 'approval', prompt: 'go on?' },
    error: 'TIMEOUT',
    end: ({ approval = '' }) => closeStepApproval(platform, tenant, approval, { state: 'EXPIRED', comment: 'test' }),
  },
  {
    step: { kind: 'subWorkflow', workflow: 'child' },
    error: 'STOPPED',
    end: async ({ child = '' }) => {
      await stopRun(platform, anAdmin, child)
      await endRun(platform, { tenant, workflow: 'child', run: child })
    },
  },
]

it.each(ends)('a look at a run ends the step whose work has ended as $error while nobody was told', async (row) => {
  const workflow = await save('untold', [{ name: 'asked', ...row.step }])
  const run = await start(workflow)
  await take(await commandOf(run, 'asked'))
  const begun = async () => (await stepsOf(platform, run))[0]?.value
  await attendRun(platform, tenant, run.id)
  expect(await begun()).toMatchObject({ state: 'RUNNING' })
  await row.end((await begun()) ?? {})
  await attendRun(platform, tenant, run.id)
  expect(await begun()).toMatchObject({ state: 'FAILED', error: row.error })
  await attendRun(platform, tenant, run.id)
  expect((await getRun(platform, tenant, run.id)).value).toMatchObject({ state: 'FAILED', error: row.error })
})
