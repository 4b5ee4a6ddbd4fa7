import type { Platform } from '../../platform/platform.ts'
import type { Task } from '../tasks/task.ts'
import type { More } from '../tasks/task-time.ts'
import { ranSecondsAt } from '../tasks/task-transition.ts'
import { grantSeconds } from './grant-seconds.ts'
import { nothingLeft } from './left.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** What an attempt that has used up its seconds takes on top of them; before it gets none, what is over goes back. */
export const moreSeconds = async (ports: Ports, task: Task): Promise<More | undefined> => {
  const { status, lease } = task
  const now = ports.clock.now()
  if (status !== 'RUNNING' || lease?.budgetAt === undefined || lease.budgetAt > now) return undefined
  const first = await grantSeconds(ports, task)
  const { seconds } = first.seconds === 0 && (await isBack(ports, task)) ? await grantSeconds(ports, task) : first
  return { fence: lease.fence, ...(seconds !== undefined && { budgetAt: now + seconds * 1000 }) }
}

const isBack = async (ports: Ports, task: Task): Promise<boolean> => {
  const { none } = await nothingLeft(ports, { ...task, ranSeconds: ranSecondsAt(task, ports.clock.now()) })
  return !none.includes('seconds')
}
