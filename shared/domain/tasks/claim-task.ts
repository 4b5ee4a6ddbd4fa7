import type { Platform, Stored } from '../../platform/platform.ts'
import { isRefused } from '../domain-error.ts'
import type { Instance } from '../instances/instance.ts'
import type { Task } from './task.ts'
import { leaseTask } from './task-moves.ts'
import { type Changed, changeTask, findTask, taskKey } from './task-store.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts'>

/** How often, and how long, a message that came before its row is looked up again. */
const rowTries = 3
const rowWaitMs = 50

export type Claim = { task: Task; isNew: boolean }

/** The leased task; `undefined` when it is not this instance's to run, or not waiting any more. */
export const claim = async (ports: Ports, instance: Instance, id: string): Promise<Claim | undefined> => {
  const found = await findArriving(ports, instance.tenant, id)
  if (found === undefined) return undefined
  const counted = instance.maxConcurrentTasks !== undefined
  const { task, answer } = await changeTask(ports, found, (current): Changed<boolean | undefined> => {
    if (current.status === 'RUNNING' && current.lease?.instance === instance.id) return { task: current, answer: false }
    if (!isFor(instance, current)) return { task: current, answer: undefined }
    const { generation, clock } = ports
    const next = leaseTask(current, { instance: instance.id, generation, now: clock.now(), counted })
    return isRefused(next) ? { task: current, answer: undefined } : { task: next, answer: true }
  })
  return answer === undefined ? undefined : { task, isNew: answer }
}

const isFor = (instance: Instance, { target }: Task): boolean =>
  target?.agent === instance.agent && target.version === instance.version

/** The head, also when the message overtook it. */
const findArriving = async (ports: Ports, tenant: string, id: string): Promise<Stored<Task> | undefined> => {
  let found = await findTask(ports, tenant, id)
  for (let tries = 0; found === undefined && tries < rowTries; tries++)
    found = await ports.main.waitForChange<Task>(taskKey(tenant, id), undefined, rowWaitMs)
  return found
}
