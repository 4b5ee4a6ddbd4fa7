import type { Platform } from '../../platform/platform.ts'
import type { Caller } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { redrive } from './match.ts'
import { getSubscription, listMatches, saveMatch } from './topic-store.ts'

type Ports = Pick<Platform, 'main' | 'queues' | 'clock' | 'random' | 'telemetry'>

/** Tries dead letters of a subscription again, so many at most. Answers how many. */
export const redriveMatches = async (
  ports: Ports,
  { tenant }: Caller,
  subscription: string,
  limit: number,
): Promise<number> => {
  await getSubscription(ports, tenant, subscription)
  const { items } = await listMatches(ports, { tenant, subscription, dead: true, limit })
  const now = ports.clock.now()
  const dead = items.filter(({ value }) => value.state === 'DEAD')
  const saved = await Promise.all(dead.map((found) => saveMatch(ports, found, redrive(found.value, now))))
  const driven = saved.filter((one) => one !== undefined)
  await Promise.all(driven.map(({ value }) => remind(ports, { tenant, id: value.id, at: now })))
  return driven.length
}
