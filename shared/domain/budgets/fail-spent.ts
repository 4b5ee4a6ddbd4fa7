import type { Platform, Stored } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { overspend } from '../tasks/task-moves.ts'
import { changeTask } from '../tasks/task-store.ts'
import { nothingLeft, spentMessage } from './charge.ts'
import type { AmountName, Amounts } from './pool.ts'

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

/** What a task that is to start has left. One that has nothing left fails: `undefined`. */
export const startOnBudget = async (ports: Ports, start: Stored<Task>): Promise<Amounts | undefined> => {
  const { left, none } = await nothingLeft(ports, start.value)
  if (none.length === 0) return left ?? {}
  await failSpent(ports, start, none)
  return undefined
}
