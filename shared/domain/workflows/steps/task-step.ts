import type { Platform } from '../../../platform/platform.ts'
import type { SubmitCommand } from '../../tasks/submit-command.ts'
import type { CheckInput } from '../../tasks/submit-task.ts'
import { submitTask } from '../../tasks/submit-task.ts'
import { isFinished, type Task } from '../../tasks/task.ts'
import { taskPk } from '../../tasks/task-store.ts'
import { callerOfRun, type Run } from '../run.ts'
import { endStep, type StepOutcome } from './end-step.ts'
import type { StepMessage } from './message-step.ts'
import { keptAs, loadOutline } from './small-fields.ts'
import type { Asked, Begun, Starting, StepPorts } from './step-command.ts'
import { wholeOf } from './whole-of.ts'

/** What is submitted is what callers may submit, and is checked as theirs. */
export type StepTools = {
  checkInput: CheckInput
  readSubmit: (body: unknown) => SubmitCommand
  readMessage: (fields: unknown) => StepMessage
}

/** Submits the task of a step; the same step again is the same task. */
export const beginTask = async (
  ports: StepPorts,
  run: Run,
  { id, step, startedAt }: Starting,
  { checkInput, readSubmit }: StepTools,
): Promise<Begun> => {
  if (isEmpty(step)) return { output: [] }
  const deadline = startedAt + Number(step.timeoutSeconds) * 1000
  const command = readSubmit(step.kind === 'batch' ? shardsOf(step) : await taskOf(ports, run.tenant, step))
  const wish = {
    ...command,
    deadline,
    hops: run.hops,
    idempotencyKey: `${run.id} ${id}`,
    workflow: { run: run.id, step: id },
  }
  const { id: task } = await submitTask(ports, callerOfRun(run), wish, checkInput)
  return { task }
}

const submitFields = [
  'capability',
  'agent',
  'version',
  'input',
  'priority',
  'labels',
  'requirements',
  'affinityKey',
  'budget',
] as const

/** What of a step a submit takes. */
export const fieldsOf = (step: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(submitFields.filter((key) => step[key] !== undefined).map((key) => [key, step[key]]))

const taskOf = async (ports: StepPorts, tenant: string, step: Asked['step']) => ({
  ...fieldsOf({ ...step, input: await wholeInput(ports, tenant, step.input) }),
  ...(step.attempts !== undefined && { retry: { attempts: step.attempts } }),
})

/** Nothing is done for a list of nothing. */
const isEmpty = ({ kind, items }: Asked['step']): boolean =>
  kind === 'batch' && Array.isArray(items) && items.length === 0

/** A task for each item: a distributed one, whose result are theirs in order. */
const shardsOf = ({ task, items, maxInFlight, toleratedFailurePercentage }: Asked['step']) => {
  const tolerated = Number(toleratedFailurePercentage ?? 0) / 100
  const list = Array.isArray(items) ? items : [items]
  const atLeast = Math.ceil(list.length * (1 - tolerated))
  return {
    ...fieldsOf(task as Record<string, unknown>),
    shards: { list },
    join: 'list',
    ...(tolerated > 0 && atLeast >= 2 && { quorum: atLeast }),
    ...(tolerated > 0 && atLeast < 2 && { quorum: Math.max(1 / list.length, 1e-9) }),
    ...(maxInFlight !== undefined && { maxInFlight }),
  }
}

/** What goes on to a task as its input is the whole of a large result. */
const wholeInput = async (ports: StepPorts, tenant: string, input: unknown): Promise<unknown> => {
  const found = await wholeOf(ports, tenant, input)
  if (found === undefined) return input
  return found.isChanged ? found.value : { $ref: found.id }
}

type Ports = Parameters<typeof endStep>[0]

/** A task of a run that ended ends its step. */
export const endTaskStep = async (ports: Ports, task: Task): Promise<void> => {
  if (task.workflow === undefined || !isFinished(task)) return
  const { run, step } = task.workflow
  await endStep(ports, { tenant: task.tenant, run, id: step }, await outcomeOf(ports, task))
}

/** How a task ended, as its step is told. */
export const outcomeOf = async (ports: Pick<Platform, 'main' | 'objects'>, task: Task): Promise<StepOutcome> => {
  const { status, result, failure, transition, tenant, id } = task
  if (status === 'CANCELLED') return { error: 'CANCELLED', cause: transition.message ?? `task ${id} was cancelled` }
  if (status === 'FAILED') return { error: failure?.code ?? 'FAILED', cause: failure?.message }
  return { output: await loadOutline(ports, { tenant, pk: taskPk(tenant, id), body: result }), ...keptAs(result) }
}
