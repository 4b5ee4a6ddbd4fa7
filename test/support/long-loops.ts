import { expect } from 'vitest'
import { machineOf } from '#shared/domain/workflows/run-legs.ts'
import { getRun } from '#shared/domain/workflows/run-store.ts'
import { saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import type { TestApi } from './api.ts'
import { anAdmin } from './fan-outs.ts'
import { workflowRuns } from './workflow-runs.ts'

/** A loop of so many rounds, each with this step. */
export const counting = (workflow: string, rounds: number, step: string) => `
workflow: ${workflow}
steps:
  - name: long
    kind: repeat
    until: '{% $longRound >= ${rounds} %}'
    atMost: 1000
    steps:
      - ${step}
      - { name: turn, kind: set, value: '{% $longRound %}' }
output: '{% $turn %}'
`

/** Runs whose executions have so few events that a short loop needs several. */
export const longLoops = (api: () => TestApi) => {
  const { start, ended: endedWithin } = workflowRuns(api)
  const ended = (id: string, seconds = 60) => endedWithin(id, seconds)

  /** Saves a definition whose runs go on in another execution after so many events. */
  const save = async (text: string, legEvents: number): Promise<string> => {
    const { definition, problems } = validate(text)
    if (definition === undefined) throw new Error(JSON.stringify(problems))
    const compiled = compileWorkflow(definition, { legEvents })
    expect(compiled.legs).toBe(true)
    await saveWorkflow(api().platform, anAdmin, { name: definition.workflow, source: text, compiled })
    return definition.workflow
  }
  const startOf = async (text: string, legEvents: number, input?: unknown): Promise<string> =>
    (await start(await save(text, legEvents), input)).id
  const runOf = async (id: string) => (await getRun(api().platform, 'default', id)).value
  /** The numbers of events of each execution of a run. */
  const legsOf = async (id: string): Promise<number[]> => {
    const run = await runOf(id)
    const legs = Array.from({ length: (run.leg ?? 0) + 1 }, (_, leg) => leg)
    return Promise.all(
      legs.map(async (leg) => {
        const { events } = await api().platform.workflows.history(machineOf(run, leg), { limit: 30_000 })
        return events.length
      }),
    )
  }
  return { start, ended, startOf, runOf, legsOf }
}
