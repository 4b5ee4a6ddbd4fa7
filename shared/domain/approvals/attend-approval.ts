import { systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { attendTask } from '../tasks/attend-task.ts'
import { findTask } from '../tasks/task-store.ts'
import { isOpen } from './approval.ts'
import { escalateApproval } from './approval-moves.ts'
import { changeApproval, findApproval } from './approval-store.ts'
import { closeLeft, closeStepApproval } from './close-approval.ts'

type Ports = Parameters<typeof attendTask>[0]

/** Does what time asks of an approval: escalates it, and closes it when its task waits no more. */
export const attendApproval = async (ports: Ports, tenant: string, id: string): Promise<void> => {
  const found = await findApproval(ports, tenant, id)
  if (found === undefined || !isOpen(found.value)) return
  const { task, expiresAt } = found.value
  const isLate = expiresAt <= ports.clock.now()
  if (task !== undefined) {
    if (isLate) await attendTask(ports, tenant, task)
    const head = (await findTask(ports, tenant, task))?.value
    if (head?.waiting?.approval !== id) return closeLeft(ports, found, head)
  } else if (isLate)
    return closeStepApproval(ports, tenant, id, { state: 'EXPIRED', comment: 'nobody decided in time' })
  await changeApproval(ports, found, (approval) => {
    const now = ports.clock.now()
    const due = isOpen(approval) && approval.state === 'PENDING' && (approval.escalateAt ?? now + 1) <= now
    return due ? { ...escalateApproval(approval, now), stamp: systemStamp('approval.escalate') } : approval
  })
  await remind(ports, { tenant, id, at: expiresAt })
}
