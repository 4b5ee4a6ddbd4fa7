import type { Item, Key, Page, Platform, Stored } from '../../platform/platform.ts'
import { DomainError } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { sortableTime } from '../keys.ts'
import type { Queue } from './queue.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

const queueKey = (tenant: string, name: string): Key => ({ pk: `${tenant}#queue#${name}`, sk: 'head' })
const queuesPk = (tenant: string): string => `${tenant}#queues`

const queueItem = (queue: Queue): Item<Queue> => ({
  ...queueKey(queue.tenant, queue.name),
  type: 'queue',
  value: queue,
  index: { parent: { pk: queuesPk(queue.tenant), sk: `${sortableTime(queue.createdAt)}#${queue.id}` } },
})

/** Stores a new queue. `undefined`: stored; else the one that has this name already. */
export const createQueue = async (ports: Ports, queue: Queue): Promise<Queue | undefined> => {
  const write = { op: 'put', item: queueItem(queue), expect: 'absent', rev: newRev(ports) } as const
  const outcome = await ports.main.write(write)
  return outcome.ok ? undefined : (outcome.conflicts[0]?.current as Stored<Queue> | undefined)?.value
}

export const findQueue = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  name: string,
): Promise<Stored<Queue> | undefined> => main.get<Queue>(queueKey(tenant, name))

/** The queue, or `NOT_FOUND`. */
export const getQueue = async (ports: Pick<Platform, 'main'>, tenant: string, name: string): Promise<Stored<Queue>> => {
  const found = await findQueue(ports, tenant, name)
  if (found === undefined) throw new DomainError('NOT_FOUND', `there is no queue ${name}; make it with POST /queues`)
  return found
}

/** Its name is free again; `undefined`: it was changed meanwhile. */
export const removeQueue = async (
  { main }: Pick<Platform, 'main'>,
  found: Stored<Queue>,
): Promise<true | undefined> => {
  const { tenant, name } = found.value
  const outcome = await main.write({ op: 'delete', key: queueKey(tenant, name), expect: { rev: found.rev } })
  return outcome.ok || undefined
}

/** Newest first. */
export const listQueues = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  page: { limit: number; cursor?: string },
): Promise<Page<Queue>> => main.query<Queue>({ index: 'parent', pk: queuesPk(tenant), order: 'descending', ...page })
