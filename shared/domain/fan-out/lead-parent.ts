import type { Platform } from '../../platform/platform.ts'
import type { PlannedBody } from '../bodies/body.ts'
import { systemStamp } from '../caller.ts'
import { isRefused } from '../domain-error.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { eventsItem } from '../tasks/task-events.ts'
import { completeTask, failTask, leaseTask, reportTask } from '../tasks/task-moves.ts'
import { type Changed, changeTask, findTask } from '../tasks/task-store.ts'
import type { FanOut } from './fan-out.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'telemetry' | 'clock' | 'random' | 'generation'>

/** The instance that holds distributed tasks: it has no lease that could be over. */
export const platformInstance = 'platform'

export const isHeldByPlatform = ({ status, lease }: Pick<Task, 'status' | 'lease'>): boolean =>
  status === 'RUNNING' && lease?.instance === platformInstance

const changeParent = async (
  ports: Ports,
  fan: FanOut,
  change: (task: Task) => Task | Pick<Changed<undefined>, 'task' | 'items'>,
): Promise<Task | undefined> => {
  const start = fan.task === undefined ? undefined : await findTask(ports, fan.tenant, fan.task)
  if (start === undefined) return undefined
  const { task } = await changeTask(ports, start, (current) => {
    const next = change(current)
    const changed = 'task' in next ? next : { task: next }
    if (changed.task === current) return { task: current, answer: undefined }
    return { ...changed, task: { ...changed.task, stamp: systemStamp('task.distribute') }, answer: undefined }
  })
  return task
}

/** Lets a distributed task that is its turn run: the platform holds it from then on. Answers it as it is. */
export const startParent = (ports: Ports, fan: FanOut): Promise<Task | undefined> =>
  changeParent(ports, fan, (task) => {
    if (task.status !== 'QUEUED') return task
    const { generation, clock } = ports
    const next = leaseTask(task, { instance: platformInstance, generation, now: clock.now() })
    return isRefused(next) ? task : next
  })

/** Shows how many shards are done, as progress of the task that they are of. */
export const tellParent = (
  ports: Ports,
  fan: FanOut,
  { percent, message }: { percent: number; message: string },
): Promise<Task | undefined> =>
  changeParent(ports, fan, (task) => {
    if (!isHeldByPlatform(task) || task.progress?.percent === percent) return task
    const progress = { percent, message }
    const event = { seq: task.seq + 1, type: 'task.progress' as const, time: ports.clock.now(), data: progress }
    return { task: reportTask(task, { events: 1, progress }), items: [eventsItem(task, [event])] }
  })

/** Ends a distributed task with its result. */
export const completeParent = (ports: Ports, fan: FanOut, { body, items }: PlannedBody): Promise<Task | undefined> =>
  changeParent(ports, fan, (task) => {
    if (!isHeldByPlatform(task)) return task
    return { task: completeTask(task, { result: body, digest: fan.id, now: ports.clock.now() }), items }
  })

/** Ends a distributed task whose shards cannot be joined. */
export const failParent = (
  ports: Ports,
  fan: FanOut,
  { code, message }: { code: string; message: string },
): Promise<Task | undefined> =>
  changeParent(ports, fan, (task) => {
    if (!isHeldByPlatform(task)) return task
    const failure = { code, message: message.slice(0, 2000), retryable: false }
    return failTask(task, { failure, digest: fan.id, now: ports.clock.now(), random: 0 })
  })

/** Whether a distributed task has to be looked at, whatever its shards do. */
export const parentCalls = (fan: FanOut, parent: Task | undefined): boolean =>
  fan.stopping === undefined && (parent === undefined || isFinished(parent) || parent.status === 'QUEUED')
