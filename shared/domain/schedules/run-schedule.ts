import type { Key, Platform, Put } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { remind } from '../dispatch/due.ts'
import { digest } from '../ids.ts'
import { findTask } from '../tasks/task-store.ts'
import { findRun } from '../workflows/run-store.ts'
import { attendSchedule, isBusy, madeAt, type ScheduleTools } from './attend-schedule.ts'
import { type Run, runNow } from './run-now.ts'
import type { Schedule } from './schedule.ts'
import { getSchedule, saveSchedule, scheduleKey } from './schedule-store.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

const runKey = (tenant: string, id: string, key: string): Key => ({
  pk: scheduleKey(tenant, id).pk,
  sk: `run#${digest(key)}`,
})

/**
 * Makes a start of a schedule now, by its rule for overlaps, and tells what became of it. Under its idempotency key the
 * same call again makes none, and tells what became of the first. The decision is one write; its task comes after that
 * by whoever looks next.
 */
export const runSchedule = async (
  ports: Ports,
  caller: Caller,
  id: string,
  { idempotencyKey }: { idempotencyKey?: string },
  tools: ScheduleTools,
): Promise<Run> => {
  const { tenant } = caller
  await getSchedule(ports, tenant, id)
  const run = await compete(ports, `schedule ${id}`, async () => {
    const done = idempotencyKey === undefined ? undefined : await doneUnder(ports, tenant, id, idempotencyKey)
    if (done) return { done }
    await attendSchedule(ports, tenant, id, tools) // what is due or waits comes first
    const found = await getSchedule(ports, tenant, id)
    if (found.value.starting !== undefined) return undefined
    const now = ports.clock.now()
    const next = runNow(found.value, { now, busy: await isBusy(ports, found.value) })
    const kept = idempotencyKey === undefined ? [] : [keptRun(tenant, id, { key: idempotencyKey, run: next.run, now })]
    const changed = { ...next.schedule, updatedAt: now, stamp: stamp(caller, 'schedule.run') }
    return (await saveSchedule(ports, found, changed, kept)) ? { done: next.run } : undefined
  })
  await makeDue(ports, tenant, id, tools)
  return describeRun(ports, await scheduleAfter(ports, tenant, id, run), run)
}

/** The schedule once it tells of a start that was decided on: who repeats a key may find that key first. */
const scheduleAfter = (ports: Ports, tenant: string, id: string, { at, outcome }: Run): Promise<Schedule> =>
  compete(ports, `schedule ${id}`, async () => {
    const { value: schedule } = await getSchedule(ports, tenant, id)
    const { starting, last } = schedule
    const isOlder = outcome === 'STARTED' && starting === undefined && (last === undefined || last.at < at)
    return isOlder ? undefined : { done: schedule }
  })

const doneUnder = async ({ main }: Ports, tenant: string, id: string, key: string): Promise<Run | undefined> =>
  (await main.get<Run>(runKey(tenant, id, key)))?.value

/** A key is remembered as long as the task that came of it; where none did, as long as anybody asks again. */
const keepMs = 7 * 24 * 3_600_000

const keptRun = (tenant: string, id: string, { key, run, now }: { key: string; run: Run; now: number }): Put => ({
  op: 'put',
  item: {
    ...runKey(tenant, id, key),
    type: 'schedule-run',
    value: run,
    ...(run.outcome === 'SKIPPED' && { expiresAt: now + keepMs }),
  },
  expect: 'absent',
})

/** The start is decided on: its task comes now, or after the next look. */
const makeDue = async (ports: Ports, tenant: string, id: string, tools: ScheduleTools): Promise<void> => {
  try {
    await attendSchedule(ports, tenant, id, tools)
  } catch (error) {
    await remind(ports, { tenant, id, at: ports.clock.now() })
    throw error
  }
}

const isThere = async (ports: Ports, tenant: string, made: ReturnType<typeof madeAt>): Promise<boolean> =>
  (await ('run' in made ? findRun(ports, tenant, made.run) : findTask(ports, tenant, made.task))) !== undefined

/** Of which of them only `counts` tell, once there was another start. */
const goneFromQueue = 'a later start took its place, or it was skipped or refused when its turn came'

/** What is known of it by now: the task that it made, or why there is none. */
const describeRun = async (ports: Ports, schedule: Schedule, { at, outcome, message }: Run): Promise<Run> => {
  if (outcome === 'SKIPPED') return { at, outcome, message }
  const { waitingFor, starting, last } = schedule
  const made = madeAt(schedule, at, schedule.run)
  if (await isThere(ports, schedule.tenant, made)) return { at, outcome: 'STARTED', ...made }
  if (waitingFor === at) return { at, outcome: 'QUEUED', message }
  if (starting === at) return { at, outcome: 'STARTED', ...made }
  if (last?.at === at) return last
  if (outcome === 'QUEUED') return { at, outcome: 'SKIPPED', message: goneFromQueue }
  return { at, outcome: 'REFUSED', message: 'its task was refused' }
}
