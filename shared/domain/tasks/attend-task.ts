import type { Platform } from '../../platform/platform.ts'
import { attendPool } from '../budgets/audit-pool.ts'
import { remindOfSeconds } from '../budgets/grant-seconds.ts'
import { moreSeconds } from '../budgets/more-seconds.ts'
import { trimShares } from '../budgets/trim-shares.ts'
import { systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { isMissing, sendTask } from '../dispatch/send-task.ts'
import { platformInstance } from '../fan-out/lead-parent.ts'
import { unablePart } from '../fan-out/unable-part.ts'
import { isAlive } from '../instances/end-instance.ts'
import { attendHeld } from '../limits/hold-task.ts'
import { cancelChildren, endsChildren, followParent } from './cancel-children.ts'
import { handOnLost } from './hand-on-task.ts'
import { routeBlocked } from './route-blocked.ts'
import { isFinished, type Task } from './task.ts'
import { isOfOldGeneration, loseLease } from './task-moves.ts'
import { changeTask, findTask } from './task-store.ts'
import { type More, passTime, resendChance, type Unable, withMore } from './task-time.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry' | 'generation'>

/** Does what time asks of a task: start it, time it out, end it at its deadline, send it again, take it from the dead. */
export const attendTask = async (ports: Ports, tenant: string, id: string): Promise<void> => {
  const start = await findTask(ports, tenant, id)
  if (start && isFinished(start.value)) await attendPool(ports, start.value)
  if (start === undefined || (await followParent(ports, start.value))) return
  if (endsChildren(start.value)) return cancelChildren(ports, start.value)
  const holder = start.value.status === 'RUNNING' ? start.value.lease?.instance : undefined
  const holderGone = holder !== undefined && holder !== platformInstance && !(await isAlive(ports, tenant, holder))
  const random = ports.random.number()
  const unable = start.value.deadline <= ports.clock.now() ? await unablePart(ports, start.value) : undefined
  const more = holderGone ? undefined : await moreSeconds(ports, start.value)
  const { task } = await changeTask(ports, start, (current) => {
    const next = moved(ports, current, { deadHolder: holderGone ? holder : undefined, random, unable, more })
    return { task: next === current ? current : { ...next, stamp: systemStamp('task.attend') }, answer: undefined }
  })
  if (task === start.value) return
  await dispatch(ports, { task, random, isNew: start.value.status !== 'QUEUED' })
  if (task.status === 'SCHEDULED' && task.dueAt !== undefined) await remind(ports, { tenant, id, at: task.dueAt })
  if (more !== undefined) await remindOfSeconds(ports, task)
  if (task.lease === undefined) await trimShares(ports, task) // whoever reserved seconds for a lease may have died since
}

/** Sees to it that a task waits where somebody finds it. `isNew`: it was not queued before. */
const dispatch = async (
  ports: Ports,
  { task, random, isNew }: { task: Task; random: number; isNew: boolean },
): Promise<void> => {
  if (task.status === 'QUEUED' && task.target === undefined) return routeBlocked(ports, task.tenant, task.id)
  if (await handOnLost(ports, task)) return
  if (task.heldBy !== undefined) return attendHeld(ports, task)
  if (isNew || (await isToSendAgain(ports, task, random))) await sendTask(ports, task)
}

/** Its queue may have lost it: nobody may have it there, or it is time to be sure. */
const isToSendAgain = async (ports: Ports, task: Task, random: number): Promise<boolean> =>
  random < resendChance(task, ports.clock.now()) || isMissing(ports, task)

type Known = {
  deadHolder: string | undefined
  random: number
  unable: Unable | undefined
  more: More | undefined
}

const moved = (ports: Ports, task: Task, { deadHolder, random, unable, more }: Known): Task => {
  const now = ports.clock.now()
  const { lease, status } = task
  if (isOfOldGeneration(task, ports.generation) && lease?.instance !== platformInstance)
    return loseLease(task, { now, message: `fence ${lease?.fence} is of before the records were restored` })
  const lost = deadHolder !== undefined && status === 'RUNNING' && lease?.instance === deadHolder
  return lost
    ? loseLease(task, { now, message: `instance ${deadHolder}: no sign of life` })
    : passTime(withMore(task, more), { now, random, unable })
}
