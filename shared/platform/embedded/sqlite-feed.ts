import type { DatabaseSync } from 'node:sqlite'
import type { ChangeFeed, Clock, Stoppable, Stored, Telemetry } from '../platform.ts'
import { type Batch, startConsumer } from './feed-consumer.ts'
import type { Numbered } from './feed-lines.ts'
import type { WriterThread } from './writer-thread.ts'

type ChangeRow = { seq: number; type: string; before: string | null; previous: number | null; after: string | null }

const parsed = (text: string | null | undefined): Stored | undefined =>
  typeof text === 'string' ? (JSON.parse(text) as Stored) : undefined

/**
 * What changes have left behind, by their numbers, of this batch and the one before: what one change left is what the
 * next of its key began with, and is parsed once.
 */
const createImages = (reader: DatabaseSync) => {
  const find = reader.prepare('SELECT after FROM changes WHERE seq = ?')
  let [known, older] = [new Map<number, Stored>(), new Map<number, Stored>()]
  const left = (seq: number): Stored | undefined =>
    known.get(seq) ?? older.get(seq) ?? parsed((find.get(seq) as { after: string | null } | undefined)?.after)
  return {
    before: ({ before, previous }: ChangeRow): Stored | undefined =>
      previous === null ? parsed(before) : left(previous),
    after({ seq, after }: ChangeRow): Stored | undefined {
      const image = parsed(after)
      if (image) known.set(seq, image)
      return image
    },
    endBatch(): void {
      older = known
      known = new Map()
    },
  }
}
type Images = ReturnType<typeof createImages>

const toNumbered = (row: ChangeRow, images: Images) => {
  const { seq, type } = row
  const before = images.before(row)
  const after = images.after(row)
  const { pk = '', sk = '' } = after ?? before ?? {}
  const change = { id: `chg-${seq}`, key: { pk, sk }, type, ...(before && { before }), ...(after && { after }) }
  return { seq, change }
}

/** Of the changes up to `last`; fewer than asked for are all of them. */
const toBatch = (rows: ChangeRow[], limit: number, { last, images }: { last: number; images: Images }): Batch => {
  const more = rows.length === limit
  const changes: Numbered[] = rows.map((row) => toNumbered(row, images))
  if (rows.length > 0) images.endBatch()
  return { changes, more, upTo: more ? rows.at(-1)?.seq : last }
}

type Options = { reader: DatabaseSync; writer: WriterThread; clock: Clock; telemetry: Telemetry }

/** The changes of the main table from each consumer's durable checkpoint on, woken by commits. */
export const createSqliteFeed = ({ reader, writer, ...ports }: Options): ChangeFeed & { close(): Promise<void> } => {
  const prepare = (types: readonly string[] | undefined) =>
    reader.prepare(
      `SELECT seq, type, before, previous, after FROM changes WHERE seq > ? AND seq <= ?
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
      const images = createImages(reader)
      const read = (after: number, limit: number): Batch => {
        const last = writer.lastChange()
        const rows = changes.all(after, last, ...(types ?? []), limit) as ChangeRow[]
        return toBatch(rows, limit, { last: Math.max(after, last), images })
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
