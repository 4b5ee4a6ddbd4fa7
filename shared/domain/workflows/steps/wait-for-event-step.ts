import { DomainError, type FieldError } from '../../domain-error.ts'
import { isScalar, shown } from '../../patterns/operators.ts'
import { below, type Pattern, readPattern } from '../../patterns/pattern.ts'
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

/** Each value is matched as it is: one that only a run knows is never an operator. */
const knownFields = (correlation: object): Pattern => {
  const fields = Object.entries(correlation)
  const misfits = fields.flatMap(([field, value]) => (isScalar(value) ? [] : [misfit(field, value)]))
  if (misfits.length > 0) throw notUsable(misfits)
  const known = Object.fromEntries(fields.map(([field, value]) => [field, [value]]))
  const read = readPattern(known, root)
  if ('problems' in read) throw notUsable(read.problems)
  return known
}

const root = '#/correlation'
const misfit = (field: string, value: unknown): FieldError => ({
  pointer: below(root, field),
  code: 'PATTERN',
  message: `expected a string, a number, true, false or null, which is matched as it is, not ${shown(value)}`,
})

const notUsable = (errors: FieldError[]): DomainError =>
  new DomainError('INVALID', `${errors[0]?.pointer}: ${errors[0]?.message}`, errors)
