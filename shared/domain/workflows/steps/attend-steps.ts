import { findApproval } from '../../approvals/approval-store.ts'
import { findFanOut } from '../../fan-out/fan-out-store.ts'
import { findTask } from '../../tasks/task-store.ts'
import { asOf } from '../late-step.ts'
import type { Run, RunStep } from '../run.ts'
import { findRun, stepsOf } from '../run-store.ts'
import { abandonStep } from './abandon-steps.ts'
import { endApprovalStep } from './approval-step.ts'
import { endRowsStep } from './rows-step.ts'
import type { StepPorts } from './step-command.ts'
import { endChildStep } from './sub-workflow-step.ts'
import { endTaskStep } from './task-step.ts'

/** Ends the steps of a run whose task, approval, run or batch has ended without anybody being told, and those whose time is over. */
export const attendSteps = async (ports: StepPorts, run: Run): Promise<void> => {
  const open = (await stepsOf(ports, run)).filter(({ value }) => value.state === 'RUNNING')
  await Promise.all(open.map(({ value }) => attendStep(ports, value)))
  const now = ports.clock.now()
  const late = open.filter(({ value }) => asOf(value, now).state === 'FAILED')
  await Promise.all(late.map((step) => abandonStep(ports, step, 'its time is over')))
}

const attendStep = async (ports: StepPorts, step: RunStep): Promise<void> => {
  const { tenant, task: taskId, approval: approvalId, child, batch } = step
  const [task, approval, run, rows] = await Promise.all([
    taskId === undefined ? undefined : findTask(ports, tenant, taskId),
    approvalId === undefined ? undefined : findApproval(ports, tenant, approvalId),
    child === undefined ? undefined : findRun(ports, tenant, child),
    batch === undefined ? undefined : findFanOut(ports, tenant, batch),
  ])
  if (task) await endTaskStep(ports, task.value)
  if (approval) await endApprovalStep(ports, approval.value)
  if (run) await endChildStep(ports, run.value)
  if (rows) await endRowsStep(ports, rows.value)
}
