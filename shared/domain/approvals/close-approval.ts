import type { Platform, Stored } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import type { Task } from '../tasks/task.ts'
import { type Approval, isOpen } from './approval.ts'
import { closeApproval as close } from './approval-moves.ts'
import { changeApproval, findApproval } from './approval-store.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** How a task fails for which nobody decided in time. */
const late: (string | undefined)[] = ['TIMEOUT', 'DEADLINE']

/** Closes an approval whose task waits for it no more: nobody answered in time, or the task ended otherwise. */
export const closeLeft = async (ports: Ports, start: Stored<Approval>, task: Task | undefined): Promise<void> => {
  const state = task?.status === 'FAILED' && late.includes(task.failure?.code) ? 'EXPIRED' : 'CANCELLED'
  const comment = task === undefined ? 'its task is gone' : `task ${task.id} is ${task.status}`
  await changeApproval(ports, start, (approval) => {
    const next = close(approval, { state, at: ports.clock.now(), comment })
    return next === approval ? approval : { ...next, stamp: systemStamp('approval.close') }
  })
}

/** Closes the approval of a step that nobody waits for any more, or that nobody decided in time. */
export const closeStepApproval = async (
  ports: Ports,
  tenant: string,
  id: string,
  { state, comment }: { state: 'EXPIRED' | 'CANCELLED'; comment: string },
): Promise<void> => {
  const found = await findApproval(ports, tenant, id)
  if (found === undefined) return
  await changeApproval(ports, found, (approval) => {
    const next = close(approval, { state, at: ports.clock.now(), comment })
    return next === approval ? approval : { ...next, stamp: systemStamp('approval.close') }
  })
}

/** The same as a consequence of a change of the task. */
export const closeApprovalOf = async (ports: Ports, before: Task | undefined, task: Task): Promise<void> => {
  const id = before?.waiting?.approval
  if (id === undefined || task.waiting?.approval === id) return
  const found = await findApproval(ports, task.tenant, id)
  if (found && isOpen(found.value)) await closeLeft(ports, found, task)
}
