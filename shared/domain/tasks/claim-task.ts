import type { Platform, Stored } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { grantSeconds, remindOfSeconds } from '../budgets/grant-seconds.ts'
import { startOnBudget } from '../budgets/start-on-budget.ts'
import { trimShares } from '../budgets/trim-shares.ts'
import { contended, isContended } from '../contention.ts'
import { mayTake } from '../dispatch/place-task.ts'
import { passOn } from '../dispatch/send-task.ts'
import { isRefused } from '../domain-error.ts'
import type { Instance } from '../instances/instance.ts'
import { type Admission, admit, giveBackAdmission } from '../limits/admit.ts'
import { holdTask } from '../limits/hold-task.ts'
import { isUsable } from '../limits/places.ts'
import { handOnTask, isLostTo } from './hand-on-task.ts'
import type { Task } from './task.ts'
import { isOfOldGeneration, leaseTask } from './task-moves.ts'
import { type Changed, changeTask, findTask, taskKey } from './task-store.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts'>

/** How often, and how long, a message that came before its row is looked up again. */
const rowTries = 3
const rowWaitMs = 50

export type Claim = { task: Task; isNew: boolean }
/**
 * Its message stays: for the `elsewhere` that is to receive it, until its row is not `missing` any more, or others need no
 * more of the seconds of its budget that they `reserved`.
 */
export type Stays = 'elsewhere' | 'missing' | 'reserved'

/**
 * The leased task; `undefined` when it is not this instance's to run, or not waiting any more, or held by a limit from
 * now on, or nothing that `agent`, as it was just read, can do.
 */
export const claim = async (
  ports: Ports,
  instance: Instance,
  id: string,
  agent?: Agent,
): Promise<Claim | Stays | undefined> => {
  const found = await findArriving(ports, instance.tenant, id)
  if (found === undefined) return 'missing'
  if (isHeldBy(instance, found.value, ports)) return { task: found.value, isNew: false }
  if (!isFor(instance, found.value)) return undefined
  if (agent && isLostTo(agent, found.value)) return void (await handOnTask(ports, agent, id))
  if (!(await mayTake(ports, found.value, instance))) return passOn(ports, found.value)
  const lack = await startOnBudget(ports, found)
  if (lack !== undefined) return lack === 'reserved' ? lack : undefined
  return admitAndLease(ports, instance, found)
}

type Leased = Claim | 'reserved' | undefined

const admitAndLease = async (ports: Ports, instance: Instance, found: Stored<Task>): Promise<Leased> => {
  const admission = await admit(ports, found.value)
  if (!('refusal' in admission)) return lease(ports, instance, found, admission)
  await holdTask(ports, found, admission.refusal)
  return undefined
}

/**
 * A write that failed may have been done: what was taken for it is then found by the recount, and the seconds stay with an
 * attempt that runs.
 */
const lease = async (ports: Ports, instance: Instance, found: Stored<Task>, admission: Admission): Promise<Leased> => {
  const changing = changeTask(ports, found, (current) => take(ports, instance, current, admission))
  const { task, answer } = await changing.catch(async (error: unknown) => {
    if (isContended(error)) await giveBackAdmission(ports, found.value, admission)
    await trimShares(ports, found.value)
    throw error
  })
  if (answer === 'new') await remindOfSeconds(ports, task)
  else await Promise.all([giveBackAdmission(ports, task, admission), trimShares(ports, task)])
  return answer === undefined || answer === 'reserved' ? answer : { task, isNew: answer === 'new' }
}

type Taken = 'new' | 'known' | 'reserved' | undefined

/** Its seconds are reserved under the condition that they still are when the lease is stored. */
const take = async (ports: Ports, instance: Instance, task: Task, { counted }: Admission): Promise<Changed<Taken>> => {
  if (isHeldBy(instance, task, ports)) return { task, answer: 'known' }
  if (!isFor(instance, task)) return { task, answer: undefined }
  const { seconds: secondsLeft, checks: writes } = await grantSeconds(ports, task)
  if (secondsLeft === 0) return { task, answer: 'reserved' }
  if (!Object.values(counted ?? {}).every((place) => isUsable(ports, place))) throw contended(`task ${task.id}`)
  const { generation, clock } = ports
  const next = leaseTask(task, { instance: instance.id, generation, now: clock.now(), counted, secondsLeft })
  return isRefused(next) ? { task, answer: undefined } : { task: next, writes, answer: 'new' }
}

/** Under a fence that still counts. */
const isHeldBy = (instance: Instance, task: Task, { generation }: Pick<Ports, 'generation'>): boolean =>
  task.status === 'RUNNING' && task.lease?.instance === instance.id && !isOfOldGeneration(task, generation)

const isFor = (instance: Instance, { status, target }: Task): boolean =>
  status === 'QUEUED' && target?.agent === instance.agent && target.version === instance.version

/** The head, also when the message overtook it. */
const findArriving = async (ports: Ports, tenant: string, id: string): Promise<Stored<Task> | undefined> => {
  let found = await findTask(ports, tenant, id)
  for (let tries = 0; found === undefined && tries < rowTries; tries++)
    found = await ports.main.waitForChange<Task>(taskKey(tenant, id), undefined, rowWaitMs)
  return found
}
