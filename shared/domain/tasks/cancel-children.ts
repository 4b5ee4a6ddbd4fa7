import type { Platform } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { isRefused } from '../domain-error.ts'
import { tellCancelled } from '../instances/tell-cancelled.ts'
import { isFinished, type Task } from './task.ts'
import { cancelTask } from './task-moves.ts'
import { changeTask, childrenPk, findTask } from './task-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'telemetry' | 'clock' | 'random'>

/** Whether the end of a task ends what it called: nobody waits for it any more. */
export const endsChildren = ({ status }: Pick<Task, 'status'>): boolean => status === 'FAILED' || status === 'CANCELLED'

/** Ends one task by what the platform knows; one that has ended stays as it is. */
export const cancelBySystem = async (
  ports: Ports,
  tenant: string,
  id: string,
  by: string,
): Promise<Task | undefined> => {
  const start = await findTask(ports, tenant, id)
  if (start === undefined || isFinished(start.value)) return start?.value
  const { task, answer: before } = await changeTask(ports, start, (current) => {
    const next = cancelTask(current, { now: ports.clock.now(), by })
    const changed = isRefused(next) || next === current ? current : { ...next, stamp: systemStamp('task.cancel') }
    return { task: changed, answer: current }
  })
  if (task !== before) await tellCancelled(ports, before)
  return task
}

/** Cancels what a task called and what has not ended; their children follow when these changes are projected. */
export const cancelChildren = async (ports: Ports, parent: Pick<Task, 'tenant' | 'id' | 'status'>): Promise<void> => {
  const { tenant, id, status } = parent
  let cursor: string | undefined
  do {
    const page = await ports.main.query<Task>({ index: 'parent', pk: childrenPk(tenant, id), limit: 100, cursor })
    const open = page.items.filter(({ value }) => !isFinished(value))
    await Promise.all(
      open.map(({ value }) => cancelBySystem(ports, tenant, value.id, `its parent, which is ${status}`)),
    )
    cursor = page.cursor
  } while (cursor !== undefined)
}

/** An index shows within this time what was called just before. */
const lagMs = 10_000

/** What a task that ended had called ends with it; once more a little later, for what an index did not show yet. */
export const endChildren = async (ports: Ports, task: Task): Promise<void> => {
  if (!endsChildren(task)) return
  await cancelChildren(ports, task)
  const { tenant, id } = task
  if (mayHaveCalled(task)) await remind(ports, { tenant, id, at: ports.clock.now() + lagMs })
}

/** One that never ran has called nothing, unless somebody else named it as the parent. */
const mayHaveCalled = ({ epoch }: Task): boolean => epoch > 0

/** Cancels a task whose parent has ended in a way that ends its children; `true` when it did. */
export const followParent = async (ports: Ports, { tenant, id, parent, status }: Task): Promise<boolean> => {
  if (parent === undefined || isFinished({ status })) return false
  const above = (await findTask(ports, tenant, parent))?.value
  if (above === undefined || !endsChildren(above)) return false
  await cancelBySystem(ports, tenant, id, `its parent, which is ${above.status}`)
  return true
}
