import { expect } from 'vitest'
import type { Run } from '#shared/domain/workflows/run.ts'
import { saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import { startRun } from '#shared/domain/workflows/start-run.ts'
import { runStep } from '#shared/domain/workflows/steps/run-step.ts'
import type { Asked } from '#shared/domain/workflows/steps/step-command.ts'
import type { EmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { eventually } from './eventually.ts'
import { anAdmin, rowTools } from './fan-outs.ts'

/** Runs whose commands nobody takes before the test does, one at a time. */
export const runsByHand = (platform: EmbeddedPlatform) => {
  const commands: Asked[] = []
  platform.workflows.serve({
    onCommand: async (body) => void commands.push(body as Asked),
    onEnd: async () => undefined,
  })
  const save = async (workflow: string, steps: object[]): Promise<string> => {
    const { definition, problems } = validate({ value: { workflow, steps } })
    if (definition === undefined) throw new Error(JSON.stringify(problems))
    await saveWorkflow(platform, anAdmin, { name: workflow, source: definition, compiled: compileWorkflow(definition) })
    return workflow
  }
  const start = (workflow: string): Promise<Run> => startRun(platform, anAdmin, { workflow }, rowTools.checkInput)
  /** The command of a step of a run, which nobody has taken yet. */
  const commandOf = ({ id }: Pick<Run, 'id'>, name: string): Promise<Asked> =>
    eventually(() => {
      const at = commands.findIndex(({ run, step }) => run === id && step.name === name)
      expect(at).toBeGreaterThanOrEqual(0)
      return commands.splice(at, 1)[0] as Asked
    })
  const take = (command: Asked, ports: Platform = platform) => runStep(ports, command, rowTools)
  return { save, start, commandOf, take }
}

/** Every moment among the writes of some work, until it has none more. */
export const atEveryMoment = async (
  work: (moment: { nth: number; after: boolean }) => Promise<boolean>,
): Promise<number> => {
  for (let nth = 1; nth < 50; nth++)
    for (const after of [false, true]) if (!(await work({ nth, after }))) return nth - 1
  throw new Error('it goes on writing')
}
