import type { Clock, Table } from '../platform.ts'

/** How far a consumer came in a shard: `upTo` is the last sequence number that is done. */
export type Position = { upTo?: string; finished?: boolean }

/** Longer than a stream keeps its records: who stays away longer begins at the oldest anyway. */
const keepMs = 48 * 3_600_000

/** Positions of the feed's consumers, one item a shard. */
export const createShardCheckpoints = ({ table, clock }: { table: Table; clock: Clock }) => {
  const keyOf = (consumer: string, shard: string) => ({ pk: `platform#feed#${consumer}`, sk: shard })
  return {
    load: async (consumer: string, shard: string): Promise<Position> =>
      (await table.get<Position>(keyOf(consumer, shard)))?.value ?? {},
    async save(consumer: string, shard: string, position: Position): Promise<void> {
      const item = { ...keyOf(consumer, shard), type: 'checkpoint', value: position, expiresAt: clock.now() + keepMs }
      await table.write({ op: 'put', item, expect: 'any' })
    },
  }
}

export type ShardCheckpoints = ReturnType<typeof createShardCheckpoints>
