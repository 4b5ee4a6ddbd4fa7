import type { Platform, Stored } from '../../platform/platform.ts'
import { startOnBudget } from '../budgets/fail-spent.ts'
import { trimShares } from '../budgets/trim-shares.ts'
import { contended, isContended } from '../contention.ts'
import { mayTake } from '../dispatch/place-task.ts'
import { passOn } from '../dispatch/send-task.ts'
import { isRefused } from '../domain-error.ts'
import type { Instance } from '../instances/instance.ts'
import { type Admission, admit, giveBackAdmission } from '../limits/admit.ts'
import { holdTask } from '../limits/hold-task.ts'
import { isUsable } from '../limits/places.ts'
import type { Task } from './task.ts'
import { isOfOldGeneration, leaseTask } from './task-moves.ts'
import { type Changed, changeTask, findTask, taskKey } from './task-store.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts'>

/** How often, and how long, a message that came before its row is looked up again. */
const rowTries = 3
const rowWaitMs = 50

export type Claim = { task: Task; isNew: boolean }
/** It is another instance's: its message stays, for that one to receive. */
export type Elsewhere = 'elsewhere'
/** Its row is not there: its submit failed, or takes long. */
export type Missing = 'missing'

/**
 * The leased task; `undefined` when it is not this instance's to run, or not waiting any more, or held by a limit from
 * now on.
 */
export const claim = async (
  ports: Ports,
  instance: Instance,
  id: string,
): Promise<Claim | Elsewhere | Missing | undefined> => {
  const found = await findArriving(ports, instance.tenant, id)
  if (found === undefined) return 'missing'
  if (isHeldBy(instance, found.value, ports)) return { task: found.value, isNew: false }
  if (!isFor(instance, found.value)) return undefined
  if (!(await mayTake(ports, found.value, instance))) return passOn(ports, found.value)
  const left = found.value.pool === undefined ? {} : await startOnBudget(ports, found)
  if (left === undefined) return undefined
  const leased = await admitAndLease(ports, instance, found, left.seconds)
  if (left.seconds !== undefined && leased?.isNew !== true) await trimShares(ports, found.value)
  return leased
}

const admitAndLease = async (
  ports: Ports,
  instance: Instance,
  found: Stored<Task>,
  secondsLeft: number | undefined,
): Promise<Claim | undefined> => {
  const admission = await admit(ports, found.value)
  if (!('refusal' in admission)) return lease(ports, instance, found, { ...admission, secondsLeft })
  await holdTask(ports, found, admission.refusal)
  return undefined
}

/** A write that failed may have been done: what was taken for it is then found by the recount. */
const lease = async (
  ports: Ports,
  instance: Instance,
  found: Stored<Task>,
  admission: Admission & { secondsLeft?: number },
): Promise<Claim | undefined> => {
  const { counted, secondsLeft } = admission
  const changing = changeTask(ports, found, (current): Changed<boolean | undefined> => {
    if (isHeldBy(instance, current, ports)) return { task: current, answer: false }
    if (!isFor(instance, current)) return { task: current, answer: undefined }
    if (!Object.values(counted ?? {}).every((place) => isUsable(ports, place))) throw contended(`task ${current.id}`)
    const { generation, clock } = ports
    const next = leaseTask(current, { instance: instance.id, generation, now: clock.now(), counted, secondsLeft })
    return isRefused(next) ? { task: current, answer: undefined } : { task: next, answer: true }
  })
  const { task, answer } = await changing.catch(async (error: unknown) => {
    if (isContended(error)) await giveBackAdmission(ports, found.value, admission)
    throw error
  })
  if (answer !== true) await giveBackAdmission(ports, task, admission)
  return answer === undefined ? undefined : { task, isNew: answer }
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
