import type { Platform } from '../../platform/platform.ts'
import type { Lease, Task } from '../tasks/task.ts'
import { describeLimit, type NamedLimit } from './limit.ts'
import { limitsOfTask } from './limits-store.ts'
import { leavePlace, newPlace, takePlace } from './places.ts'
import { recountWhenStuck } from './recount.ts'
import { giveTo, takeFrom } from './tokens.ts'
import { wake } from './wake.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** What a task was given so that it may run: a place in each limit that it counts in, a token of each rate. */
export type Admission = { counted?: Lease['counted']; rates: NamedLimit[] }
/** Which limit is in the way; `at` (ms) is when a token comes. */
export type Refusal = { limit: NamedLimit; code: 'LIMIT' | 'RATE'; message: string; at?: number }

/** Takes everything that a task needs to run, or nothing. */
export const admit = async (ports: Ports, task: Task): Promise<Admission | { refusal: Refusal }> => {
  const limits = await limitsOfTask(ports, task)
  const admission: Admission = { rates: [] }
  if (limits.length === 0) return admission
  try {
    return await takeAll(ports, task, limits, admission)
  } catch (error) {
    await giveBackAdmission(ports, task, admission).catch((lost: unknown) =>
      ports.telemetry.log('warn', 'what a limit gives back is found by its recount', {
        task: task.id,
        error: String(lost),
      }),
    )
    throw error
  }
}

const takeAll = async (
  ports: Ports,
  task: Task,
  limits: NamedLimit[],
  admission: Admission,
): Promise<Admission | { refusal: Refusal }> => {
  for (const limit of limits.filter(({ concurrency }) => concurrency !== undefined))
    if (!(await takeOne(ports, task, admission, limit)))
      return refuse(ports, task, admission, { limit, code: 'LIMIT', message: messageOf(limit, 'leaves no place') })
  for (const limit of limits.filter(({ rate }) => rate !== undefined)) {
    const { taken, at } = await takeFrom(ports, bucketOf(task, limit))
    if (!taken)
      return refuse(ports, task, admission, { limit, code: 'RATE', message: messageOf(limit, 'leaves no start'), at })
    admission.rates.push(limit)
  }
  return admission
}

const messageOf = (limit: NamedLimit, what: string): string =>
  `the limit of ${limit.name} (${describeLimit(limit)}) ${what}; the task is woken as soon as there is one`

const bucketOf = ({ tenant }: Task, { id, rate = { count: 1, seconds: 1 } }: NamedLimit) => ({
  tenant,
  limit: id,
  rate,
})

const takeOne = async (ports: Ports, task: Task, admission: Admission, limit: NamedLimit): Promise<boolean> => {
  const { concurrency = 0, id } = limit
  const place = Object.values(admission.counted ?? {})[0] ?? newPlace(ports)
  const take = () => takePlace(ports, task.tenant, { id, concurrency }, { task: task.id, place })
  const before = admission.counted
  admission.counted = { ...before, [id]: place } // one whose answer is lost goes back as well
  const taken = (await take()) || ((await recountWhenStuck(ports, task.tenant, id)) && (await take()))
  if (!taken) admission.counted = before
  return taken
}

const refuse = async (
  ports: Ports,
  task: Task,
  admission: Admission,
  refusal: Refusal,
): Promise<{ refusal: Refusal }> => {
  await giveBackAdmission(ports, task, admission)
  return { refusal }
}

/** Gives everything back of an admission that came to no lease. */
export const giveBackAdmission = async (ports: Ports, task: Task, { counted, rates }: Admission): Promise<void> => {
  for (const limit of rates) await giveTo(ports, bucketOf(task, limit))
  if (counted) await leaveLimits(ports, task, counted)
}

/** Gives the places of a lease back, and wakes who waited for them. */
export const leaveLimits = async (
  ports: Ports,
  { tenant, id }: Pick<Task, 'tenant' | 'id'>,
  counted: NonNullable<Lease['counted']>,
): Promise<void> => {
  for (const [limit, place] of Object.entries(counted))
    if (await leavePlace(ports, tenant, limit, { task: id, place })) await wake(ports, tenant, limit)
}
