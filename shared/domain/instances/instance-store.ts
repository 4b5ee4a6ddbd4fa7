import type { Item, Key, Page, Platform, Stored } from '../../platform/platform.ts'
import { changeStored } from '../contention.ts'
import { DomainError } from '../domain-error.ts'
import type { Instance, InstanceLease } from './instance.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

export const instanceKey = (tenant: string, id: string): Key => ({ pk: `${tenant}#instance#${id}`, sk: 'head' })
const leaseKey = (tenant: string, id: string): Key => ({ pk: `${tenant}#instance#${id}`, sk: 'lease' })
const instancesOfPk = (tenant: string, agent: string): string => `${tenant}#instances-of#${agent}`
/** An agent holds its instances until they end. */
const liveInstancesPk = (tenant: string, agent: string): string => `${tenant}#live-instances#${agent}`

/** Instances that ended are forgotten after this time; the attempts they made are kept with their tasks. */
const keepEndedMs = 7 * 24 * 3_600_000

const toItem = (instance: Instance): Item<Instance> => ({
  ...instanceKey(instance.tenant, instance.id),
  type: 'instance',
  value: instance,
  index: {
    parent: { pk: instancesOfPk(instance.tenant, instance.agent), sk: instance.id },
    ...(instance.state !== 'OFFLINE' && {
      holder: { pk: liveInstancesPk(instance.tenant, instance.agent), sk: instance.id },
    }),
  },
  ...(instance.state === 'OFFLINE' && { expiresAt: (instance.history.at(-1)?.at ?? instance.joinedAt) + keepEndedMs }),
})

/** Stores a new instance. `undefined`: stored; else the one that has this id already. */
export const createInstance = async (
  { main }: Pick<Platform, 'main'>,
  instance: Instance,
): Promise<Instance | undefined> => {
  const outcome = await main.write({ op: 'put', item: toItem(instance), expect: 'absent' })
  return outcome.ok ? undefined : (outcome.conflicts[0]?.current as Stored<Instance> | undefined)?.value
}

export const findInstance = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Instance> | undefined> => main.get<Instance>(instanceKey(tenant, id))

/** The instance, or `NOT_FOUND`. */
export const getInstance = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Instance>> => {
  const found = await findInstance(ports, tenant, id)
  if (found === undefined) throw new DomainError('NOT_FOUND', `there is no instance ${id}`)
  return found
}

/** Loads, changes and saves until no one else came first. */
export const changeInstance = async (
  ports: Ports,
  start: Stored<Instance>,
  change: (instance: Instance) => Instance,
): Promise<Instance> => {
  const place = { table: ports.main, start, what: `instance ${start.value.id}` }
  return (await changeStored(ports, place, change, toItem)).value
}

/** A page of the instances of an agent, newest first, with those that ended within a week. */
export const instancesOf = (
  { main }: Pick<Platform, 'main'>,
  { tenant, agent, limit, cursor }: { tenant: string; agent: string; limit: number; cursor?: string },
): Promise<Page<Instance>> =>
  main.query<Instance>({ index: 'parent', pk: instancesOfPk(tenant, agent), order: 'descending', limit, cursor })

/** All instances of an agent that have not ended, oldest first. */
export const liveInstancesOf = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  agent: string,
): Promise<Stored<Instance>[]> => {
  const found: Stored<Instance>[] = []
  let cursor: string | undefined
  do {
    const page = await main.query<Instance>({
      index: 'holder',
      pk: liveInstancesPk(tenant, agent),
      limit: 1000,
      cursor,
    })
    found.push(...page.items.filter(({ value }) => value.state !== 'OFFLINE'))
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}

/** Renews the leases of everything the instance holds: one volatile write. */
export const saveLease = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  lease: InstanceLease,
): Promise<void> => {
  const item: Item<InstanceLease> = {
    ...leaseKey(tenant, lease.instance),
    type: 'instance-lease',
    value: lease,
    expiresAt: lease.expiresAt + 3_600_000,
  }
  await volatile.write({ op: 'put', item, expect: 'any' })
}

export const findLease = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  id: string,
): Promise<InstanceLease | undefined> => (await volatile.get<InstanceLease>(leaseKey(tenant, id)))?.value

/** In the order of `ids`. */
export const findLeases = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  ids: string[],
): Promise<(InstanceLease | undefined)[]> =>
  ids.length === 0
    ? []
    : (await volatile.getMany<InstanceLease>(ids.map((id) => leaseKey(tenant, id)))).map((item) => item?.value)

export const dropLease = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  id: string,
): Promise<void> => {
  await volatile.write({ op: 'delete', key: leaseKey(tenant, id), expect: 'any' })
}
