import { afterEach, beforeEach, expect, it } from 'vitest'
import { checkInput } from '#functions/api/check-input.ts'
import { workflowConsumer } from '#functions/workflow-steps/workflow-consumer.ts'
import { redriveRun } from '#shared/domain/workflows/redrive-run.ts'
import { getRun } from '#shared/domain/workflows/run-store.ts'
import { saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import { startRun } from '#shared/domain/workflows/start-run.ts'
import type { EmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'
import type { RunRef } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventually } from '#test/support/eventually.ts'

const source = 'workflow: fails\nsteps:\n  - { name: a, kind: fail, error: BROKEN }\n'
const ann = { tenant: 'default', principal: { kind: 'anyone' as const }, requestId: 'ann' }

let platform: EmbeddedPlatform
let close: () => Promise<void>
let run: string
beforeEach(async () => {
  ;({ platform, close } = await aPlatform())
  platform.workflows.serve(workflowConsumer(platform))
  const { definition } = validate(source)
  if (definition === undefined) throw new Error('the definition of the test is not valid')
  await saveWorkflow(platform, ann, { name: 'fails', source, compiled: compileWorkflow(definition) })
  run = (await startRun(platform, ann, { workflow: 'fails' }, checkInput)).id
  await eventually(async () => expect((await stored()).state).toBe('FAILED'))
})
afterEach(() => close())

const stored = async () => (await getRun(platform, 'default', run)).value
/** A host that takes no redrive, and says this of the machine. */
const hostThatSays = (status: 'RUNNING' | 'FAILED') => ({
  ...platform,
  workflows: {
    ...platform.workflows,
    redrive: async () => false,
    describe: async () => ({ version: '1', status, startedAt: 0, input: null }),
  },
})

it('leaves a run as it ended when its host cannot redrive it any more, and says what to do', async () => {
  const before = await stored()
  await expect(redriveRun(hostThatSays('FAILED'), ann, run)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining(`devcycle runs rerun ${run}`),
  })
  expect(await stored()).toEqual(before)
})

it('takes a run that is under way for redriven: the answer to a first call was lost', async () => {
  expect(await redriveRun(hostThatSays('RUNNING'), ann, run)).toMatchObject({ state: 'RUNNING', redrives: 1 })
  expect(await stored()).toMatchObject({ state: 'RUNNING', redrives: 1 })
})

it('ends again with a machine that went on and ended before its run was under way', async () => {
  const lost = async (machine: RunRef) => {
    await platform.workflows.redrive(machine)
    throw new PlatformError('UNAVAILABLE', 'the answer was lost')
  }
  const workflows = { ...platform.workflows, redrive: lost }
  await expect(redriveRun({ ...platform, workflows }, ann, run)).rejects.toThrow('the answer was lost')
  await eventually(async () => expect(await stored()).toMatchObject({ state: 'FAILED', redrives: 1 }))
  expect(await stored()).not.toHaveProperty('redriving')
})
