import type { DatabaseSync } from 'node:sqlite'
import type { ChangeFeed, Clock, Stoppable, Stored, Telemetry } from '../platform.ts'
import { type Batch, startConsumer } from './feed-consumer.ts'
import type { Numbered } from './feed-lines.ts'
import type { WriterThread } from './writer-thread.ts'

type ChangeRow = { seq: number; type: string; before: string | null; after: string | null }

const toNumbered = ({ seq, type, before: old, after: fresh }: ChangeRow): Numbered => {
  const before = old === null ? undefined : (JSON.parse(old) as Stored)
  const after = fresh === null ? undefined : (JSON.parse(fresh) as Stored)
  const { pk = '', sk = '' } = after ?? before ?? {}
  const change = { id: `chg-${seq}`, key: { pk, sk }, type, ...(before && { before }), ...(after && { after }) }
  return { seq, change }
}

const toBatch = (rows: ChangeRow[], isWanted: (type: string) => boolean): Batch => ({
  changes: rows.filter(({ type }) => isWanted(type)).map(toNumbered),
  examined: rows.length,
  upTo: rows.at(-1)?.seq,
})

type Options = { reader: DatabaseSync; writer: WriterThread; clock: Clock; telemetry: Telemetry }

/** The changes of the main table from each consumer's durable checkpoint on, woken by commits. */
export const createSqliteFeed = ({ reader, writer, ...ports }: Options): ChangeFeed & { close(): Promise<void> } => {
  const changes = reader.prepare(
    'SELECT seq, type, before, after FROM changes WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
  )
  const checkpoint = reader.prepare('SELECT seq FROM checkpoints WHERE consumer = ?')
  const wakers = new Set<(type?: string) => void>()
  const running = new Set<Stoppable>()
  writer.onCommit((table, _key, item) => {
    if (table === 'main') for (const wake of wakers) wake(item?.type)
  })
  return {
    consume(consumer, handle, { types } = {}) {
      const isWanted = (type: string): boolean => types === undefined || types.includes(type)
      const { seq = 0 } = (checkpoint.get(consumer) ?? {}) as { seq?: number }
      const loop = startConsumer({
        ...ports,
        consumer,
        handle,
        seq,
        read: (after, limit) => toBatch(changes.all(after, writer.lastChange(), limit) as ChangeRow[], isWanted),
        save: (upTo) => writer.send({ kind: 'checkpoint', consumer, seq: upTo }),
      })
      const wake = (type?: string): void => {
        if (type === undefined || isWanted(type)) loop.wake()
      }
      wakers.add(wake)
      const stoppable: Stoppable = {
        async stop() {
          wakers.delete(wake)
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
