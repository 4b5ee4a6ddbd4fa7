import type { DatabaseSync } from 'node:sqlite'
import type { ChangeFeed, Clock, Stoppable, Stored, Telemetry } from '../platform.ts'
import { type Batch, startConsumer } from './feed-consumer.ts'
import type { Numbered } from './feed-lines.ts'
import type { WriterThread } from './writer-thread.ts'

type ChangeRow = { seq: number; type: string; before: string | null; after: string | null }

/** Images of one batch: what one change left behind is what the next of its key began with, and is parsed once. */
const createImages = () => {
  const known = new Map<string, Stored>()
  return (text: string | null): Stored | undefined => {
    if (text === null) return undefined
    const image = known.get(text) ?? (JSON.parse(text) as Stored)
    known.set(text, image)
    return image
  }
}

const toNumbered = ({ seq, type, before: old, after: fresh }: ChangeRow, imageOf: ReturnType<typeof createImages>) => {
  const before = imageOf(old)
  const after = imageOf(fresh)
  const { pk = '', sk = '' } = after ?? before ?? {}
  const change = { id: `chg-${seq}`, key: { pk, sk }, type, ...(before && { before }), ...(after && { after }) }
  return { seq, change }
}

/** Of the changes up to `last`; fewer than asked for are all of them. */
const toBatch = (rows: ChangeRow[], limit: number, last: number): Batch => {
  const imageOf = createImages()
  const more = rows.length === limit
  const changes: Numbered[] = rows.map((row) => toNumbered(row, imageOf))
  return { changes, more, upTo: more ? rows.at(-1)?.seq : last }
}

type Options = { reader: DatabaseSync; writer: WriterThread; clock: Clock; telemetry: Telemetry }

/** The changes of the main table from each consumer's durable checkpoint on, woken by commits. */
export const createSqliteFeed = ({ reader, writer, ...ports }: Options): ChangeFeed & { close(): Promise<void> } => {
  const prepare = (types: readonly string[] | undefined) =>
    reader.prepare(
      `SELECT seq, type, before, after FROM changes WHERE seq > ? AND seq <= ?
       ${types ? `AND type IN (${types.map(() => '?').join(', ')})` : ''} ORDER BY seq LIMIT ?`,
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
      const changes = prepare(types)
      const read = (after: number, limit: number): Batch => {
        const last = writer.lastChange()
        return toBatch(changes.all(after, last, ...(types ?? []), limit) as ChangeRow[], limit, Math.max(after, last))
      }
      const { seq = 0 } = (checkpoint.get(consumer) ?? {}) as { seq?: number }
      const loop = startConsumer({
        ...ports,
        consumer,
        handle,
        seq,
        read,
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
