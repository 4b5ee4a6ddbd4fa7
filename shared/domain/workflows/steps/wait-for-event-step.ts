import type { Pattern } from '../../patterns/pattern.ts'
import { makeSubscription } from '../../topics/change-subscription.ts'
import { callerOfRun, type Run } from '../run.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'

/** Waits for a message on a topic: from here on, the first that its pattern matches ends the step. */
export const beginWaitForEvent = async (ports: StepPorts, run: Run, { id, step }: Asked): Promise<Begun> => {
  const pattern = patternOf(step)
  const command = {
    topic: String(step.topic),
    ...(pattern && { pattern }),
    target: { step: { run: run.id, id } },
    description: `step ${step.name} of run ${run.id} waits for it`,
    idempotencyKey: `${run.id} ${id}`,
  }
  return { subscription: (await makeSubscription(ports, callerOfRun(run), command)).value.id }
}

/** The pattern, with the fields of the data that the run knows. */
const patternOf = ({ pattern, correlation }: Asked['step']): Pattern | undefined => {
  if (correlation === undefined) return pattern as Pattern | undefined
  const { data, ...rest } = (pattern ?? {}) as Pattern
  const known = Object.entries(correlation as object).map(([field, value]) => [field, [value]])
  return { ...rest, data: { ...(data as object | undefined), ...Object.fromEntries(known) } }
}
