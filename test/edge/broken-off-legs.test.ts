import { afterAll, describe, expect, it } from 'vitest'
import { attendRun } from '#shared/domain/workflows/attend-run.ts'
import { endRun } from '#shared/domain/workflows/end-run.ts'
import { redriveRun } from '#shared/domain/workflows/redrive-run.ts'
import type { Run } from '#shared/domain/workflows/run.ts'
import { machineOf } from '#shared/domain/workflows/run-legs.ts'
import { getRun, stepsOf } from '#shared/domain/workflows/run-store.ts'
import { saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import { startRun } from '#shared/domain/workflows/start-run.ts'
import { endStep } from '#shared/domain/workflows/steps/end-step.ts'
import { runStep } from '#shared/domain/workflows/steps/run-step.ts'
import type { Asked } from '#shared/domain/workflows/steps/step-command.ts'
import { stopRun } from '#shared/domain/workflows/stop-run.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { deathsAmong, dying } from '#test/support/dying-platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventually } from '#test/support/eventually.ts'
import { anAdmin, rowTools } from '#test/support/fan-outs.ts'
import { meanwhile } from '#test/support/meanwhile.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const tenant = 'default'
const clock = aSkewedClock()
const { platform, close } = await aPlatform(undefined, clock)
const commands: Asked[] = []
platform.workflows.serve({
  onCommand: async (body) => void commands.push(body as Asked),
  onEnd: async () => undefined,
})
afterAll(close)

/** A loop whose every round is an execution of its own, and waits for a word. */
const save = async (workflow: string, first = ''): Promise<string> => {
  const { definition } = validate(`
workflow: ${workflow}
timeout: 1h
steps:${first}
  - name: long
    kind: repeat
    until: '{% $longRound = 3 %}'
    atMost: 100
    steps: [{ name: asked, kind: approval, prompt: x }]
output: '{% [$longRound, $asked] %}'
`)
  if (definition === undefined) throw new Error('it has no definition')
  const compiled = compileWorkflow(definition, { legEvents: 1 })
  await saveWorkflow(platform, anAdmin, { name: workflow, source: definition, compiled })
  return workflow
}
const workflow = await save(
  'rounds',
  `
  - { name: made, kind: approval, prompt: x, compensate: [{ name: unmade, kind: task, capability: nobody }] }`,
)

const commandOf = (run: Run, name: string): Promise<Asked> =>
  eventually(() => {
    const at = commands.findIndex((one) => one.run === run.id && one.step.name === name)
    expect(at).toBeGreaterThanOrEqual(0)
    return commands.splice(at, 1)[0] as Asked
  })
const answer = async (run: Run, name: string, output: unknown): Promise<void> => {
  const { token = '' } = await commandOf(run, name)
  expect(await platform.workflows.succeed(token, output)).toEqual({ ok: true })
}
/** A run whose first execution has ended for the next one; nobody was told. */
const aRunBetween = async (): Promise<Run> => {
  const run = await startRun(platform, anAdmin, { workflow }, rowTools.checkInput)
  await runStep(platform, await commandOf(run, 'made'), rowTools)
  const [made] = await stepsOf(platform, run)
  await endStep(platform, { tenant, run: run.id, id: made?.value.id ?? '' }, { output: 0 })
  await answer(run, 'asked', 1)
  return run
}
const recordOf = async ({ id }: Run) => (await getRun(platform, tenant, id)).value
const seen = async (run: Run) => (await platform.workflows.describe(machineOf(await recordOf(run))))?.status
const failing = (fails: Partial<Platform['workflows']>): Platform => ({
  ...platform,
  workflows: { ...platform.workflows, ...fails },
})
const looks = [
  { by: 'the same end, told again', look: (run: Run) => endRun(platform, machineOf(run, 0)) },
  { by: 'the next look at it', look: (run: Run) => attendRun(platform, tenant, run.id) },
]

describe('a run that goes on in its next execution', () => {
  it.each(looks)('and dies at any moment of that goes on once, by $by', async ({ look }) => {
    const lost = failing({ start: () => Promise.reject(new Error('the process ended')) })
    const deaths = [...deathsAmong(1).map(({ last, stored }) => dying(platform, last, stored)), lost]
    for (const dead of deaths) {
      const run = await aRunBetween()
      await expect(endRun(dead, machineOf(run, 0))).rejects.toThrow('the process ended')
      await look(run)
      await look(run)
      await endRun(platform, machineOf(run, 0))
      expect(await recordOf(run)).toMatchObject({ state: 'RUNNING', leg: 1, timeoutSeconds: 3600 })
      expect(await seen(run)).toBe('RUNNING')
      await answer(run, 'asked', 2)
      await endRun(platform, machineOf(run, 1))
      await answer(run, 'asked', 3)
      await endRun(platform, machineOf(run, 0))
      await endRun(platform, machineOf(run, 2))
      expect(await recordOf(run)).toMatchObject({ state: 'SUCCEEDED', leg: 2, output: { value: [3, 3] } })
    }
  })

  it('and is stopped at whatever moment of that ends as stopped, with its machine', async () => {
    let moments = 0
    for (const nth of [1, 2, 3])
      for (const after of [false, true]) {
        const run = await aRunBetween()
        const stop = async (): Promise<void> => void (await stopRun(platform, anAdmin, run.id))
        const during = meanwhile(platform, { nth, after }, stop)
        await endRun(during.platform, machineOf(run, 0))
        if (during.happened()) moments++
        else await stop()
        await endRun(platform, machineOf(await recordOf(run)))
        expect(await recordOf(run)).toMatchObject({ state: 'COMPENSATING', outcome: 'STOPPED', leg: 1 })
        expect(await seen(run)).toBe('ABORTED')
      }
    expect(moments).toBeGreaterThanOrEqual(2)
  })

  it('and is stopped while that is being started ends as stopped, too', async () => {
    const run = await aRunBetween()
    const start: Platform['workflows']['start'] = async (wish) => {
      await stopRun(platform, anAdmin, run.id)
      await platform.workflows.start(wish)
    }
    await endRun(failing({ start }), machineOf(run, 0))
    expect(await seen(run)).toBe('ABORTED')
  })

  it('fails with what its host refuses, and undoes what it had done', async () => {
    const run = await aRunBetween()
    const start = () => Promise.reject(new PlatformError('TOO_LARGE', 'no'))
    await endRun(failing({ start }), machineOf(run, 0))
    expect(await recordOf(run)).toMatchObject({ outcome: 'FAILED', error: 'TOO_LARGE', leg: 1 })
  })

  it('has its time from its start on, whenever its executions began, and is timed out then', async () => {
    const run = await aRunBetween()
    clock.forward(3_000_000)
    await endRun(platform, machineOf(run, 0))
    await answer(run, 'asked', 2)
    await endRun(platform, machineOf(run, 1))
    const { startedAt, dueAt = 0 } = await recordOf(run)
    expect(dueAt).toBeLessThanOrEqual(startedAt + 3_600_000)
    clock.forward(startedAt + 3_600_000 - clock.now() - 2000)
    await attendRun(platform, tenant, run.id)
    expect(await recordOf(run)).toMatchObject({ state: 'RUNNING', dueAt: startedAt + 3_600_000 })
    expect(await seen(run)).toBe('RUNNING')
    clock.forward(2000)
    await attendRun(platform, tenant, run.id)
    await endRun(platform, machineOf(run, 2))
    expect(await recordOf(run)).toMatchObject({ outcome: 'TIMED_OUT', error: 'TIMEOUT', leg: 2 })
  })

  it('and whose time was over before ends in the next one as timed out', async () => {
    const run = await aRunBetween()
    clock.forward(3_700_000)
    await endRun(platform, machineOf(run, 0))
    await endRun(platform, machineOf(run, 1))
    expect(await recordOf(run)).toMatchObject({ outcome: 'TIMED_OUT', error: 'TIMEOUT', leg: 1 })
  })
})

describe('a run that did not succeed in a later execution', () => {
  it('goes on there when it is redriven, with its time anew, also when it ends for the next one at once', async () => {
    const plain = await save('plain')
    const run = await startRun(platform, anAdmin, { workflow: plain }, rowTools.checkInput)
    await answer(run, 'asked', 1)
    await endRun(platform, machineOf(run, 0))
    const asked = await commandOf(run, 'asked')
    await platform.workflows.fail(asked.token ?? '', { error: 'WRONG' })
    await endRun(platform, machineOf(run, 1))
    expect(await recordOf(run)).toMatchObject({ state: 'FAILED', error: 'WRONG', leg: 1 })
    clock.forward(7_200_000)
    const redrive: Platform['workflows']['redrive'] = async (ref) => {
      const goes = await platform.workflows.redrive(ref)
      await answer(run, 'asked', 2)
      await endRun(platform, machineOf(run, 1))
      return goes
    }
    await redriveRun(failing({ redrive }), anAdmin, run.id)
    await attendRun(platform, tenant, run.id)
    expect(await recordOf(run)).toMatchObject({ state: 'RUNNING', redrives: 1, leg: 2 })
    await attendRun(platform, tenant, run.id)
    expect(await seen(run)).toBe('RUNNING')
    await answer(run, 'asked', 3)
    await endRun(platform, machineOf(run, 2))
    expect(await recordOf(run)).toMatchObject({ state: 'SUCCEEDED', leg: 2 })
  })
})
