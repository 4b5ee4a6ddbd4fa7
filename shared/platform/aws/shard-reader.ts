import type { Change, Clock, Telemetry } from '../platform.ts'
import { type StreamRecord, toChange } from './change-mapper.ts'
import { createHeldChanges, type ReadChange } from './held-changes.ts'
import type { ShardCheckpoints } from './shard-checkpoints.ts'
import type { Shard, StreamShards } from './stream-shards.ts'

export type Consumer = {
  name: string
  handle: (batch: Change[]) => Promise<string[]>
  signal: AbortSignal
}
type Context = { shards: StreamShards; checkpoints: ShardCheckpoints; clock: Clock; telemetry: Telemetry }

const pollMs = 250
const busyMs = 50
const saveEveryMs = 500
/** With more than this held back nothing further is read. */
const mostHeld = 5000

/** Reads one shard for one consumer until it is closed and done, or the consumer stops. Answers whether it is done. */
export const readShard = async (
  context: Context,
  { name, handle, signal }: Consumer,
  shard: Shard,
): Promise<boolean> => {
  const { shards, checkpoints, clock, telemetry } = context
  const start = await checkpoints.load(name, shard.id)
  if (start.finished) return true
  const held = createHeldChanges()
  let [last, saved, savedAt] = [start.upTo, start.upTo, clock.now()]
  let iterator: string | undefined
  let closed = false

  const read = async (): Promise<number> => {
    iterator ??= await shards.open(shard, last)
    if (iterator === undefined) return 0
    const { records, next } = await shards.read(iterator)
    held.add(records.flatMap((record) => toEntry(record)))
    iterator = next
    closed = next === undefined
    return records.length
  }
  const toEntry = (record: StreamRecord): ReadChange[] => {
    const [change, after] = [toChange(record), last]
    last = record.dynamodb?.SequenceNumber ?? last
    return change ? [{ change, after }] : []
  }
  /** An iterator lives for minutes and a server may be away: the shard is opened again where reading ended. */
  const readOn = async (): Promise<number> => {
    if (closed || held.size() >= mostHeld) return 0
    try {
      return await read()
    } catch (error) {
      iterator = undefined
      telemetry.log('warn', 'a shard could not be read', { consumer: name, shard: shard.id, error: String(error) })
      return 0
    }
  }
  const deliver = async (): Promise<void> => {
    const given = held.ready(clock.now())
    if (given.length === 0) return
    const changes = given.map(({ change }) => change)
    const failed = await handle(changes).catch((error: unknown) => {
      telemetry.log('error', 'a consumer of the change feed failed', { consumer: name, error: String(error) })
      return changes.map(({ id }) => id)
    })
    held.settle(given, new Set(failed), clock.now())
  }
  const save = async (): Promise<void> => {
    const upTo = held.doneUpTo(last)
    if (upTo === saved && !isDone()) return
    await checkpoints.save(name, shard.id, { ...(upTo !== undefined && { upTo }), finished: isDone() })
    ;[saved, savedAt] = [upTo, clock.now()]
  }
  const isDone = (): boolean => closed && held.size() === 0

  while (!signal.aborted && !isDone()) {
    const count = await readOn()
    await deliver()
    if (clock.now() - savedAt >= saveEveryMs) await save()
    if (count === 0 && !isDone()) await clock.sleep(held.size() > 0 ? busyMs : pollMs, signal).catch(() => undefined)
  }
  await save()
  return isDone()
}
