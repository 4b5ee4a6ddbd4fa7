import type { DatabaseSync } from 'node:sqlite'
import type { ChangeFeed, Clock, Stoppable, Stored, Telemetry } from '../platform.ts'
import { startConsumer } from './feed-consumer.ts'
import type { Numbered } from './feed-lines.ts'
import type { WriterThread } from './writer-thread.ts'

type ChangeRow = { seq: number; before: string | null; after: string | null }

const toNumbered = ({ seq, before: old, after: fresh }: ChangeRow): Numbered => {
  const before = old === null ? undefined : (JSON.parse(old) as Stored)
  const after = fresh === null ? undefined : (JSON.parse(fresh) as Stored)
  const { pk = '', sk = '', type = '' } = after ?? before ?? {}
  const change = { id: `chg-${seq}`, key: { pk, sk }, type, ...(before && { before }), ...(after && { after }) }
  return { seq, change }
}

type Options = { reader: DatabaseSync; writer: WriterThread; clock: Clock; telemetry: Telemetry }

/** The changes of the main table from each consumer's durable checkpoint on, woken by commits. */
export const createSqliteFeed = ({ reader, writer, ...ports }: Options): ChangeFeed & { close(): Promise<void> } => {
  const changes = reader.prepare('SELECT seq, before, after FROM changes WHERE seq > ? ORDER BY seq LIMIT ?')
  const checkpoint = reader.prepare('SELECT seq FROM checkpoints WHERE consumer = ?')
  const wakers = new Set<() => void>()
  const running = new Set<Stoppable>()
  writer.onCommit((table) => {
    if (table === 'main') for (const wake of wakers) wake()
  })
  return {
    consume(consumer, handle) {
      const { seq = 0 } = (checkpoint.get(consumer) ?? {}) as { seq?: number }
      const loop = startConsumer({
        ...ports,
        consumer,
        handle,
        seq,
        read: (after, limit) => (changes.all(after, limit) as ChangeRow[]).map(toNumbered),
        save: (upTo) => writer.send({ kind: 'checkpoint', consumer, seq: upTo }),
      })
      wakers.add(loop.wake)
      const stoppable: Stoppable = {
        async stop() {
          wakers.delete(loop.wake)
          await loop.stop()
          running.delete(stoppable)
        },
      }
      running.add(stoppable)
      return stoppable
    },
    async close() {
      await Promise.all([...running].map((stoppable) => stoppable.stop()))
    },
  }
}
