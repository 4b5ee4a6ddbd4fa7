import type { Platform, Stored } from '../../../platform/platform.ts'
import { closeStepApproval } from '../../approvals/close-approval.ts'
import { withdrawMessage } from '../../messages/withdraw-message.ts'
import { cancelBySystem } from '../../tasks/cancel-children.ts'
import { endSubscription } from '../../topics/change-subscription.ts'
import type { Run, RunStep } from '../run.ts'
import { changeStep, stepsOf } from '../run-store.ts'
import { stopChild } from '../stop-run.ts'
import { recordEnd } from './end-step.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'
import { outcomeOf } from './task-step.ts'

/** Ends what was begun for the steps of a block that has ended without them. */
export const abandonSteps = async (ports: StepPorts, run: Run, { step }: Asked): Promise<Begun> => {
  const names = new Set(step.steps as string[])
  await endOpenSteps(ports, run, { names, why: `${step.name} has ended without it` })
  return { output: null }
}

type Ports = StepPorts

/** Ends what steps have begun and what has not ended; a task that came first has completed its step. */
export const endOpenSteps = async (
  ports: Ports,
  run: Pick<Run, 'tenant' | 'id'>,
  { names, why }: { names?: ReadonlySet<string>; why: string },
): Promise<void> => {
  const open = (await stepsOf(ports, run)).filter(
    ({ value }) => value.state === 'RUNNING' && value.kind !== 'abandon' && (names?.has(value.name) ?? true),
  )
  await Promise.all(open.map((step) => endOne(ports, step, why)))
}

const endOne = async (ports: Ports, found: Stored<RunStep>, why: string): Promise<void> => {
  const { tenant, task, approval, child, message, subscription } = found.value
  const ended = task === undefined ? undefined : await cancelBySystem(ports, tenant, task, why)
  if (ended?.status === 'SUCCEEDED') return void (await recordEnd(ports, found, await outcomeOf(ports, ended)))
  if (approval !== undefined) await closeStepApproval(ports, tenant, approval, { state: 'CANCELLED', comment: why })
  if (message !== undefined) await withdrawMessage(ports, tenant, message, why)
  if (child !== undefined) await stopChild(ports, tenant, child, why)
  if (subscription !== undefined) await endSubscription(ports, tenant, subscription)
  await abandon(ports, found, why)
}

const abandon = (ports: Pick<Platform, 'main' | 'clock' | 'random'>, found: Stored<RunStep>, why: string) =>
  changeStep(ports, found, (step) =>
    step.state === 'RUNNING' ? { ...step, state: 'ABANDONED', cause: why, finishedAt: ports.clock.now() } : step,
  )
