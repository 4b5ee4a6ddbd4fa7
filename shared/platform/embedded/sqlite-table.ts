import type { DatabaseSync } from 'node:sqlite'
import type { Clock, Conflict, Item, Key, Outcome, Page, Random, Rev, Stored, Table, Write } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { ulid } from '../ulid.ts'
import { createChangeWaiters } from './change-waiters.ts'
import type { RawRow, RawWrite, TableName } from './sqlite-messages.ts'
import { readQuery, readScan } from './sqlite-queries.ts'
import { toStored } from './sqlite-rows.ts'
import type { WriterThread } from './writer-thread.ts'

/** The most one item may hold: what DynamoDB can hold, so that nothing grows up that cannot move there. */
const maxValueBytes = 390 * 1024

const toJson = (item: Item): string => {
  const json = JSON.stringify(item.value ?? null)
  if (json.length > maxValueBytes / 4 && Buffer.byteLength(json) > maxValueBytes)
    throw new PlatformError(
      'TOO_LARGE',
      `item ${item.pk} ${item.sk} has ${Buffer.byteLength(json)} bytes; ${maxValueBytes} are possible`,
    )
  return json
}

type Options = { name: TableName; reader: DatabaseSync; writer: WriterThread; clock: Clock; random: Random }

/** A table in SQLite: writes go to the writer thread, reads happen here and see every acknowledged write. */
export const createSqliteTable = ({ name, reader, writer, clock, random }: Options): Table => {
  const getRow = reader.prepare(
    `SELECT * FROM ${name} WHERE pk = ? AND sk = ? AND (expires_at IS NULL OR expires_at > ?)`,
  )
  const waiters = createChangeWaiters()
  writer.onCommit((changed) => {
    for (const change of changed) if (change.table === name) waiters.notify(change.key)
  })
  const mint = (): Rev => ulid(clock.now(), (length) => random.bytes(length))

  const read = <V>(key: Key): Stored<V> | undefined => {
    const row = getRow.get(key.pk, key.sk, clock.now()) as RawRow | undefined
    return row && toStored<V>(row)
  }

  const toRaw = (write: Write): { raw: RawWrite; rev: Rev } => {
    if (write.op !== 'put') return { raw: write, rev: '' }
    const { item, expect, rev = mint() } = write
    const raw = {
      pk: item.pk,
      sk: item.sk,
      type: item.type,
      rev,
      value: toJson(item),
      expiresAt: item.expiresAt ?? null,
      index: item.index ?? {},
    }
    return { raw: { op: 'put', item: raw, expect }, rev }
  }

  const send = async (writes: Write[]): Promise<Outcome> => {
    const planned = writes.map(toRaw)
    const answer = await writer.send({
      kind: 'write',
      table: name,
      now: clock.now(),
      writes: planned.map(({ raw }) => raw),
    })
    if (answer.conflicts === undefined) return { ok: true, revs: planned.map(({ rev }) => rev) }
    const conflicts = answer.conflicts.map(
      ({ at, current }): Conflict => ({ at, ...(current && { current: toStored(current) }) }),
    )
    return { ok: false, conflicts }
  }

  return {
    get: async (key) => read(key),
    getMany: async (keys) => keys.map((key) => read(key)),
    write: (write) => send([write]),
    transact: async (writes) => {
      checkTransaction(writes)
      return send(writes)
    },
    query: async <V>(query: Parameters<Table['query']>[0]) => readQuery(reader, name, query, clock.now()) as Page<V>,
    scan: async (part) => readScan(reader, name, part, clock.now()),
    async add(key, by, bound = {}) {
      const answer = await writer.send({ kind: 'add', table: name, now: clock.now(), key, by, ...bound, rev: mint() })
      return answer.number ?? undefined
    },
    async waitForChange<V>(key: Key, than: Rev | undefined, ms: number) {
      const now = read<V>(key)
      if (now?.rev !== than || ms <= 0) return now
      await waiters.wait(key, ms)
      return read<V>(key)
    },
  }
}

const maxTransaction = 25

const checkTransaction = (writes: Write[]): void => {
  const keys = new Set(
    writes.map((write) =>
      write.op === 'put' ? `${write.item.pk}\n${write.item.sk}` : `${write.key.pk}\n${write.key.sk}`,
    ),
  )
  if (writes.length < 2 || writes.length > maxTransaction || keys.size !== writes.length)
    throw new PlatformError(
      'INVALID',
      `a transaction has 2 to ${maxTransaction} writes of distinct keys; this one has ${writes.length} of ${keys.size}`,
    )
}
