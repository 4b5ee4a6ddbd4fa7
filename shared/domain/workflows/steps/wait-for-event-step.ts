import { DomainError, type FieldError } from '../../domain-error.ts'
import { type Pattern, readPattern } from '../../patterns/pattern.ts'
import { makeSubscription } from '../../topics/change-subscription.ts'
import { callerOfRun, type Run } from '../run.ts'
import { findEarlier } from './earlier-event.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'
import { wakeStep } from './wake-step.ts'

/**
 * Waits for a message on a topic: the first that its pattern matches ends the step. One that is for this run by its
 * `correlation` may have come before: it answers what the run did then, and counts from the beginning of the run on.
 */
export const beginWaitForEvent = async (ports: StepPorts, run: Run, { id, step }: Asked): Promise<Begun> => {
  const pattern = patternOf(step)
  const command = {
    topic: String(step.topic),
    ...(pattern && { pattern }),
    target: { step: { run: run.id, id } },
    description: `step ${step.name} of run ${run.id} waits for it`,
    idempotencyKey: `${run.id} ${id}`,
  }
  const subscription = await makeSubscription(ports, callerOfRun(run), command)
  const earlier = step.correlation === undefined ? undefined : await findEarlier(ports, run, { id, subscription })
  if (earlier) await wakeStep(ports, { tenant: run.tenant, run: run.id, id }, earlier)
  return { subscription: subscription.value.id }
}

/** The pattern, with the fields of the data that the run knows. */
const patternOf = ({ pattern, correlation }: Asked['step']): Pattern | undefined => {
  if (correlation === undefined) return pattern as Pattern | undefined
  const { data, ...rest } = (pattern ?? {}) as Pattern
  return { ...rest, data: { ...(data as object | undefined), ...knownFields(correlation as object) } }
}

const knownFields = (correlation: object): Pattern => {
  const known = Object.fromEntries(Object.entries(correlation).map(([field, value]) => [field, [value]]))
  const read = readPattern(known, '#/correlation')
  if ('problems' in read) throw notUsable(read.problems)
  return known
}

/** The step has one value for each field, and no list of them. */
const notUsable = (problems: FieldError[]): DomainError => {
  const errors = problems.map((one) => ({ ...one, pointer: one.pointer.replace(/^(#\/correlation\/[^/]+)\/0/, '$1') }))
  return new DomainError('INVALID', `${errors[0]?.pointer}: ${errors[0]?.message}`, errors)
}
