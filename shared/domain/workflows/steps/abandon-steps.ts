import type { Stored } from '../../../platform/platform.ts'
import { closeStepApproval } from '../../approvals/close-approval.ts'
import { withdrawMessage } from '../../messages/withdraw-message.ts'
import { cancelBySystem } from '../../tasks/cancel-children.ts'
import type { Task } from '../../tasks/task.ts'
import { endSubscription } from '../../topics/change-subscription.ts'
import { asOf, tooLate } from '../late-step.ts'
import type { Run, RunStep } from '../run.ts'
import { changeStep, findStep, stepsOf } from '../run-store.ts'
import { stopChild } from '../stop-run.ts'
import { answerToken, recordEnd } from './end-step.ts'
import { isOf, noteOver, type OverBlock } from './over-blocks.ts'
import { cancelRows } from './rows-step.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'
import { outcomeOf } from './task-step.ts'

/** Ends what was begun for the steps of a block that has ended without them; what comes after that is not begun. */
export const abandonSteps = async (ports: StepPorts, run: Run, { step }: Asked): Promise<Begun> => {
  const over: OverBlock = {
    block: String(step.block),
    ...(step.before !== undefined && { before: String(step.before) }),
  }
  await noteOver(ports, run, over)
  const why = `${step.name} ${over.before === undefined ? 'has ended' : 'is tried again'} without it`
  const ended = await endOpenSteps(ports, run, { which: (one) => isOf(one, over), why })
  await Promise.all(ended.map((one) => answerToken(ports, one)))
  return { output: null }
}

/** `late`: the step that took too long. */
type Ending = { which?: (step: RunStep) => boolean; why: string; late?: string }

/** Ends what steps that a run waits for have begun; a task that came first has completed its step. */
export const endOpenSteps = async (
  ports: StepPorts,
  run: Pick<Run, 'tenant' | 'id'>,
  { which = () => true, why, late }: Ending,
): Promise<RunStep[]> => {
  const open = (await stepsOf(ports, run)).filter(
    ({ value }) => value.state === 'RUNNING' && value.token !== undefined && which(value),
  )
  return Promise.all(open.map((step) => endOne(ports, step, why, step.value.id === late)))
}

/** Ends one step that nothing waits for. Whoever waits for it after all is told that it failed. */
export const abandonStep = async (ports: StepPorts, found: Stored<RunStep>, why: string): Promise<void> =>
  answerToken(ports, await endOne(ports, found, why))

/** What is noted on the step while what it had begun is ended is ended as well. */
const endOne = async (ports: StepPorts, found: Stored<RunStep>, why: string, isLate = false): Promise<RunStep> => {
  const ended = await endBegun(ports, found.value, why)
  if (ended?.status === 'SUCCEEDED') return recordEnd(ports, found, await outcomeOf(ports, ended))
  const now = ports.clock.now()
  const left = await changeStep(ports, found, (step) => {
    if (step.state !== 'RUNNING' || !isSameBegun(step, found.value)) return step
    const seen = isLate ? tooLate(step, now) : asOf(step, now)
    return seen.state === 'RUNNING' ? { ...step, state: 'ABANDONED', cause: why, finishedAt: now } : seen
  })
  const again = left.state === 'RUNNING' ? await findStep(ports, left) : undefined
  return again ? endOne(ports, again, why, isLate) : left
}

/** Ends what a step has begun. Answers its task as it is then. */
export const endBegun = async (
  ports: StepPorts,
  { tenant, task, approval, child, batch, message, subscription }: RunStep,
  why: string,
): Promise<Task | undefined> => {
  const ended = task === undefined ? undefined : await cancelBySystem(ports, tenant, task, why)
  if (approval !== undefined) await closeStepApproval(ports, tenant, approval, { state: 'CANCELLED', comment: why })
  if (batch !== undefined) await cancelRows(ports, tenant, batch)
  if (message !== undefined) await withdrawMessage(ports, tenant, message, why)
  if (child !== undefined) await stopChild(ports, tenant, child, why)
  if (subscription !== undefined) await endSubscription(ports, tenant, subscription)
  return ended
}

const begun = ['task', 'approval', 'child', 'batch', 'message', 'subscription'] as const
const isSameBegun = (a: RunStep, b: RunStep): boolean => begun.every((one) => a[one] === b[one])
