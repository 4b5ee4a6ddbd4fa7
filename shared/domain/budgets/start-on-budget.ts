import type { Platform, Stored } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import type { Task } from '../tasks/task.ts'
import { overspend } from '../tasks/task-moves.ts'
import { changeTask } from '../tasks/task-store.ts'
import { spentMessage } from './charge.ts'
import { lookAtLeft, nothingLeft } from './left.ts'
import type { AmountName } from './pool.ts'
import { anybody, goesOn, isReserved } from './reserved-seconds.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** A short one for who waits, and one by which all that is over goes back for who is to fail. */
const looks = [
  { look: lookAtLeft, counts: goesOn },
  { look: nothingLeft, counts: anybody },
]

/**
 * What keeps a task from starting by its budget, if anything. `spent`: of something nothing is left, and it has failed.
 * `reserved`: seconds are all that lacks, and others that have them may give some back.
 */
export const startOnBudget = async (ports: Ports, start: Stored<Task>): Promise<'spent' | 'reserved' | undefined> => {
  let none: AmountName[] = []
  for (const { look, counts } of looks) {
    const lacking = await look(ports, start.value)
    none = lacking.none
    if (none.length === 0) return undefined
    if (await isReserved(ports, start.value, lacking, counts)) return 'reserved'
  }
  await failSpent(ports, start, none)
  return 'spent'
}

/** Unless somebody came first. */
const failSpent = async (ports: Ports, start: Stored<Task>, names: AmountName[]): Promise<void> => {
  await changeTask(ports, start, (current) => {
    if (current.status !== 'QUEUED') return { task: current, answer: undefined }
    const next = overspend(current, { message: spentMessage(names), now: ports.clock.now() })
    return { task: { ...next, stamp: systemStamp('task.budget') }, answer: undefined }
  })
}
