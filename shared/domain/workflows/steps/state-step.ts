import { callerOfRun, type Run } from '../run.ts'
import { changeRunValue, findRunValue } from '../run-value.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'
import { textOf } from './text-of.ts'

/** Reads what the agents of a run share, or sets it; the same step again changes nothing. */
export const useState = async (ports: StepPorts, run: Run, { id, step }: Asked): Promise<Begun> => {
  const key = textOf(step.key, '#/key')
  const wish = { key, value: step.value, idempotencyKey: id }
  const found =
    'value' in step ? await changeRunValue(ports, callerOfRun(run), run, wish) : await findRunValue(ports, run, key)
  return { output: found?.value.value ?? null }
}
