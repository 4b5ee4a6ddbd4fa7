import type { Item, Key, Platform } from '../../platform/platform.ts'
import { compete } from '../contention.ts'
import { newRev } from '../ids.ts'
import { findInstance, findLease } from '../instances/instance-store.ts'
import type { Target, Task } from '../tasks/task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>
type Reading = Omit<Ports, 'random'>

/** Which instance does the tasks of one key of an agent; to lose it costs the next one a new place. */
type Pin = { instance: string }

/** A key without tasks is forgotten after this time. */
const keepMs = 24 * 3_600_000
const renewBelowMs = 12 * 3_600_000

const pinKey = (tenant: string, agent: string, key: string): Key => ({
  pk: `${tenant}#affinity#${agent}#${key}`,
  sk: 'pin',
})

/** Whether an instance lives, takes work, and is of the version. */
const isUsable = async (
  ports: Reading,
  tenant: string,
  id: string,
  { version }: Pick<Target, 'version'>,
): Promise<boolean> => {
  const [instance, lease] = await Promise.all([findInstance(ports, tenant, id), findLease(ports, tenant, id)])
  if (instance === undefined || lease === undefined || lease.expiresAt <= ports.clock.now()) return false
  return instance.value.state === 'ONLINE' && instance.value.version === version
}

/** The instance that a task's key leads to, while it lives. */
export const livePin = async (
  ports: Reading,
  { tenant, affinityKey }: Task,
  target: Pick<Target, 'agent' | 'version'>,
): Promise<string | undefined> => {
  if (affinityKey === undefined) return undefined
  const pin = (await ports.volatile.get<Pin>(pinKey(tenant, target.agent, affinityKey)))?.value
  return pin && (await isUsable(ports, tenant, pin.instance, target)) ? pin.instance : undefined
}

/** Leads a key to an instance; `false`: it leads to another one that lives. Of several at once one comes first. */
export const takePin = async (
  ports: Ports,
  { tenant, affinityKey = '' }: Task,
  target: Target,
  instance: string,
): Promise<boolean> => {
  const key = pinKey(tenant, target.agent, affinityKey)
  const now = ports.clock.now()
  return compete(ports, `who does tasks of the key ${affinityKey}`, async () => {
    const pin = await ports.volatile.get<Pin>(key)
    const isOurs = pin?.value.instance === instance
    if (isOurs && (pin.expiresAt ?? 0) - now > renewBelowMs) return { done: true }
    if (pin && !isOurs && (await isUsable(ports, tenant, pin.value.instance, target))) return { done: false }
    const item: Item<Pin> = { ...key, type: 'affinity', value: { instance }, expiresAt: now + keepMs }
    const expect = pin ? { rev: pin.rev } : 'absent'
    const { ok } = await ports.volatile.write({ op: 'put', item, expect, rev: newRev(ports) })
    return ok ? { done: true } : undefined
  })
}
