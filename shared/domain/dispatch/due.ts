import type { Key, Platform } from '../../platform/platform.ts'
import { sortableTime } from '../keys.ts'

/** What must be looked at, by time; spread over shards so that no index partition runs hot. */
export const dueShards = 8
export const dueShardPk = (shard: number): string => `platform#due#${shard}`

const shardOf = (id: string): number => id.charCodeAt(id.length - 1) % dueShards // ids end at random

/** Index key of something that is due at `at` (ms). */
export const dueIndex = (at: number, tenant: string, id: string): Key => ({
  pk: dueShardPk(shardOf(id)),
  sk: `${sortableTime(at)}#${tenant}#${id}`,
})

/** Everything before this key is due at `now`. */
export const dueBefore = (now: number): string => `${sortableTime(now + 1)}#`

/** The queue of reminders: its messages name what to look at when they arrive. */
export const dueQueue = 'due'
/** The longest delay of a queue; what is due later is found by the sweep. */
const maxDelaySeconds = 900

export const dueBody = (tenant: string, id: string): string => `${tenant} ${id}`
export const parseDueBody = (body: string): { tenant: string; id: string } | undefined => {
  const [tenant, id, ...rest] = body.split(' ')
  return tenant && id && rest.length === 0 ? { tenant, id } : undefined
}

export type Reminder = {
  tenant: string
  id: string
  at: number
  /** @default the queue of reminders */
  queue?: string
  /** Fairness key. */
  group?: string
}

/** Asks for a look at `at`. Best effort: the sweep finds what this loses. */
export const remind = async (
  { queues, clock, telemetry }: Pick<Platform, 'queues' | 'clock' | 'telemetry'>,
  { tenant, id, at, queue = dueQueue, group }: Reminder,
): Promise<void> => {
  const delaySeconds = Math.max(0, (at - clock.now()) / 1000)
  if (delaySeconds > maxDelaySeconds) return
  try {
    await queues.send(queue, [{ body: dueBody(tenant, id), delaySeconds, group }])
  } catch (error) {
    telemetry.log('warn', 'a reminder was not sent; the sweep will find it', { tenant, id, error: String(error) })
  }
}
