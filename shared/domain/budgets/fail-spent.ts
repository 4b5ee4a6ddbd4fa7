import type { Platform, Stored } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { overspend } from '../tasks/task-moves.ts'
import { changeTask } from '../tasks/task-store.ts'
import { nothingLeft, spentMessage } from './charge.ts'
import { grantSeconds, isReserved } from './grant-seconds.ts'
import type { AmountName } from './pool.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** Ends a task because its budget is spent. Its fence is worth nothing from then on. */
export const failSpent = async (ports: Ports, start: Stored<Task>, names: AmountName[]): Promise<Task> => {
  const { task } = await changeTask(ports, start, (current) => {
    if (isFinished(current)) return { task: current, answer: undefined }
    const next = overspend(current, { message: spentMessage(names), now: ports.clock.now() })
    return { task: { ...next, stamp: systemStamp('task.budget') }, answer: undefined }
  })
  return task
}

/** How long a task waits for seconds that others have reserved, before it asks again. */
const waitMs = 1000

/**
 * The seconds that are reserved for a task that is to start, if they are bounded. `undefined`: it has nothing left, and
 * fails; or waits a moment where that is only reserved.
 */
export const startOnBudget = async (ports: Ports, start: Stored<Task>): Promise<{ seconds?: number } | undefined> => {
  const task = start.value
  const seconds = await grantSeconds(ports, task)
  if (seconds === 0 && (await isReserved(ports, task))) return waitAMoment(ports, start)
  const { none } = await nothingLeft(ports, task) // what is over goes back by that
  if (none.length > 0) return failed(ports, start, none)
  if (seconds !== 0) return { seconds }
  const again = await grantSeconds(ports, task)
  return again === 0 ? waitAMoment(ports, start) : { seconds: again }
}

const failed = async (ports: Ports, start: Stored<Task>, none: AmountName[]): Promise<undefined> => {
  await failSpent(ports, start, none)
}

const waitAMoment = async (ports: Ports, start: Stored<Task>): Promise<undefined> => {
  const at = Math.min(ports.clock.now() + waitMs, start.value.deadline)
  const { task } = await changeTask(ports, start, (current) => ({
    task: current.status === 'QUEUED' ? { ...current, dueAt: at, stamp: systemStamp('task.budget') } : current,
    answer: undefined,
  }))
  if (task.status === 'QUEUED') await remind(ports, { tenant: task.tenant, id: task.id, at })
}
