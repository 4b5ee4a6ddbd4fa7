import type { Platform } from '../../platform/platform.ts'
import { idFromKey } from '../ids.ts'

/** What is done once before or after all shards: the body of a submit. */
export type PartTask = {
  capability?: string
  agent?: string
  version?: string
  input?: unknown
  timeoutSeconds?: number
}

/** How a task is divided. `to` is not included. */
export type Shards = { list: unknown[] } | { range: { from: number; to: number; size: number } } | { split: PartTask }

/** What a distributed task asks for besides what every task may. */
export type Distribution = {
  shards?: Shards
  join?: 'list' | PartTask
  /** How many shards have to succeed: a share up to 1, or a number above it. @default 1 */
  quorum?: number
  /** `fail` ends it as soon as that is out of reach; `continue` lets every shard end. @default fail */
  onFailure?: 'fail' | 'continue'
  /** So many shards wait and run at a time. @default 1000 */
  maxInFlight?: number
}

/** A list as an object of JSON lines: the same list is the same object. */
export const putShards = async (
  { objects }: Pick<Platform, 'objects'>,
  { tenant, id, list }: { tenant: string; id: string; list: unknown[] },
): Promise<{ kind: 'object'; id: string; size: number }> => {
  const object = idFromKey('obj', tenant, `${id} shards`)
  const lines = Buffer.from(list.map((shard) => `${JSON.stringify(shard)}\n`).join(''))
  const { size } = await objects.put({ tenant, id: object }, lines, { contentType: 'application/jsonl' })
  return { kind: 'object', id: object, size }
}
