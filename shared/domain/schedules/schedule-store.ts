import type { Item, Key, Page, Platform, Stored, Write } from '../../platform/platform.ts'
import { dueIndex } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { sortableTime } from '../keys.ts'
import { writeAll } from '../write-all.ts'
import { type Schedule, schedulePk } from './schedule.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

export const scheduleKey = (tenant: string, id: string): Key => ({ pk: schedulePk(tenant, id), sk: 'head' })
const scheduleListPk = (tenant: string): string => `${tenant}#schedules`

const toItem = (schedule: Schedule): Item<Schedule> => {
  const { tenant, id, createdAt, deletedAt, dueAt } = schedule
  return {
    ...scheduleKey(tenant, id),
    type: 'schedule',
    value: schedule,
    index: {
      ...(deletedAt === undefined && { list: { pk: scheduleListPk(tenant), sk: `${sortableTime(createdAt)}#${id}` } }),
      ...(dueAt !== undefined && { due: dueIndex(dueAt, tenant, id) }),
    },
  }
}

/** To be written whatever is there: the same again. */
export const putAny = (item: Item): Write => ({ op: 'put', item, expect: 'any' })

/** Stores a new schedule with its items. `undefined`: stored; else the one that has this id already. */
export const createSchedule = async (
  ports: Ports,
  schedule: Schedule,
  items: Item[],
): Promise<Schedule | undefined> => {
  const head: Write = { op: 'put', item: toItem(schedule), expect: 'absent', rev: newRev(ports) }
  const outcome = await writeAll(ports.main, [head, ...items.map(putAny)])
  return outcome.ok ? undefined : (outcome.conflicts[0]?.current as Stored<Schedule> | undefined)?.value
}

/** The schedule, or `NOT_FOUND`; one that was deleted is not there. */
export const getSchedule = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Schedule>> => {
  const found = await main.get<Schedule>(scheduleKey(tenant, id))
  if (found === undefined || found.value.deletedAt !== undefined)
    throw new DomainError('NOT_FOUND', `there is no schedule ${id}`)
  return found
}

/** A schedule for what happens by itself; `undefined` when it is not there any more. */
export const findSchedule = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Schedule> | undefined> => {
  const found = await main.get<Schedule>(scheduleKey(tenant, id))
  return found?.value.deletedAt === undefined ? found : undefined
}

/** Saves a changed schedule if nobody else did, with further writes; `undefined`: somebody came first. */
export const saveSchedule = async (
  ports: Ports,
  { rev: expected }: Pick<Stored, 'rev'>,
  schedule: Schedule,
  writes: Write[] = [],
): Promise<Stored<Schedule> | undefined> => {
  const rev = newRev(ports)
  const head: Write = { op: 'put', item: toItem(schedule), expect: { rev: expected }, rev }
  const outcome = await writeAll(ports.main, [head, ...writes])
  return outcome.ok ? { ...toItem(schedule), rev } : undefined
}

/** Newest first. */
export const listSchedules = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  page: { limit: number; cursor?: string },
): Promise<Page<Schedule>> =>
  main.query<Schedule>({ index: 'list', pk: scheduleListPk(tenant), order: 'descending', ...page })
