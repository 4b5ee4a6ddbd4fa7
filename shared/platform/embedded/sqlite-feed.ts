import type { DatabaseSync } from 'node:sqlite'
import type { Change, ChangeFeed, Clock, Stored, Telemetry } from '../platform.ts'
import type { WriterThread } from './writer-thread.ts'

const batchSize = 200
const saveEveryMs = 500
/** So long changes gather before they are read: what waits for a commit of its own must not wait for theirs. */
const gatherMs = 20
const retryMs = { first: 50, most: 5000 }

type ChangeRow = { seq: number; pk: string; sk: string } & { [column: string]: string | number | null }

const image = (row: ChangeRow, side: 'before' | 'after'): Stored | undefined => {
  const { pk, sk, [`${side}_type`]: type, [`${side}_rev`]: rev, [`${side}_value`]: value } = row
  return rev === null ? undefined : { pk, sk, type: String(type), rev: String(rev), value: JSON.parse(String(value)) }
}

const toChange = (row: ChangeRow): Change => {
  const [before, after] = [image(row, 'before'), image(row, 'after')]
  return {
    id: `chg-${row.seq}`,
    key: { pk: row.pk, sk: row.sk },
    type: after?.type ?? before?.type ?? '',
    ...(before && { before }),
    ...(after && { after }),
  }
}

const keyOf = ({ key }: Change): string => `${key.pk}\n${key.sk}`

type Options = { reader: DatabaseSync; writer: WriterThread; clock: Clock; telemetry: Telemetry }

/** The changes of the main table from each consumer's durable checkpoint on, woken by commits. */
export const createSqliteFeed = ({ reader, writer, clock, telemetry }: Options): ChangeFeed => {
  const read = reader.prepare('SELECT * FROM changes WHERE seq > ? ORDER BY seq LIMIT ?')
  const checkpoint = reader.prepare('SELECT seq FROM checkpoints WHERE consumer = ?')
  const wakers = new Set<() => void>()
  writer.onCommit((changed) => {
    if (changed.some(({ table }) => table === 'main')) for (const wake of wakers) wake()
  })

  const consume: ChangeFeed['consume'] = (consumer, handle) => {
    const stopping = new AbortController()
    let seq = (checkpoint.get(consumer) as { seq: number } | undefined)?.seq ?? 0
    let saved = seq
    let savedAt = clock.now()
    let failures = 0
    let wake: () => void = () => undefined
    let woken = false
    const onCommit = (): void => {
      woken = true
      wake()
    }
    wakers.add(onCommit)

    const save = async (): Promise<void> => {
      if (saved === seq) return
      const upTo = seq
      await writer.send({ kind: 'checkpoint', consumer, seq: upTo })
      saved = upTo
      savedAt = clock.now()
    }
    const pause = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
        if (stopping.signal.aborted) wake()
      })

    /** Hands out again what failed, with everything later of its key, until nothing of the batch is left. */
    const process = async (batch: Change[]): Promise<void> => {
      let rest = batch
      while (rest.length > 0 && !stopping.signal.aborted) {
        const failed = new Set(await attempt(rest))
        if (failed.size === 0) {
          failures = 0
          return
        }
        rest = heldBack(rest, failed)
        const ms = Math.min(retryMs.first * 2 ** failures++, retryMs.most)
        wake = () => undefined
        await clock.sleep(ms, stopping.signal).catch(() => undefined)
      }
    }
    const attempt = async (changes: Change[]): Promise<string[]> => {
      try {
        return await handle(changes)
      } catch (error) {
        telemetry.log('error', 'a consumer of the change feed failed', { consumer, error: String(error) })
        return changes.map(({ id }) => id)
      }
    }

    const loop = async (): Promise<void> => {
      while (!stopping.signal.aborted) {
        woken = false
        const rows = read.all(seq, batchSize) as ChangeRow[]
        if (rows.length > 0) await process(rows.map(toChange))
        if (stopping.signal.aborted) break
        seq = rows.at(-1)?.seq ?? seq
        if (clock.now() - savedAt >= saveEveryMs) await save()
        if (rows.length === 0 && !woken) await pause(saved === seq ? 60_000 : saveEveryMs)
        if (rows.length < batchSize) await clock.sleep(gatherMs, stopping.signal).catch(() => undefined)
      }
      await save()
    }
    const running = loop().catch((error: unknown) =>
      telemetry.log('error', 'the change feed stopped', { consumer, error: String(error) }),
    )
    return {
      async stop() {
        wakers.delete(onCommit)
        stopping.abort()
        wake()
        await running
      },
    }
  }
  return { consume }
}

/** From the first failed change of each key on, in order. */
const heldBack = (changes: Change[], failed: Set<string>): Change[] => {
  const stuck = new Set<string>()
  return changes.filter((change) => {
    if (failed.has(change.id)) stuck.add(keyOf(change))
    return stuck.has(keyOf(change))
  })
}
