import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Key } from '../platform.ts'
import { isNowhere, type RawItem, type TableName } from './sqlite-messages.ts'
import { placeColumns } from './sqlite-schema.ts'

/** A row as it is stored, whether or not its time is over. */
export type Row = { rowid: number; rev: string; item: string; expiresAt: number | null; places: (string | null)[] }

/** The statements of one item table, prepared once. */
export const prepareItems = (database: DatabaseSync, table: TableName) => {
  const columns = ['pk', 'sk', 'rev', 'item', 'expires_at', ...placeColumns]
  const find = arrays(
    database,
    `SELECT rowid, rev, item, expires_at, ${placeColumns.join(', ')} FROM ${table} WHERE pk = ? AND sk = ?`,
  )
  const insert = database.prepare(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  )
  const update = database.prepare(`UPDATE ${table} SET rev = ?, item = ?, expires_at = ? WHERE rowid = ?`)
  const move = database.prepare(
    `UPDATE ${table} SET rev = ?, item = ?, expires_at = ?, ${placeColumns.map((one) => `${one} = ?`).join(', ')}
     WHERE rowid = ?`,
  )
  const lay = database.prepare(
    `INSERT INTO ${table} (pk, sk, rev, item, expires_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (pk, sk) DO UPDATE SET rev = excluded.rev, item = excluded.item, expires_at = excluded.expires_at,
     ${placeColumns.map((one) => `${one} = NULL`).join(', ')}`,
  )
  const place = database.prepare(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
     ON CONFLICT (pk, sk) DO UPDATE SET ${columns.slice(2).map((one) => `${one} = excluded.${one}`)}`,
  )
  const remove = database.prepare(`DELETE FROM ${table} WHERE rowid = ?`)
  const removeAt = database.prepare(`DELETE FROM ${table} WHERE pk = ? AND sk = ?`)
  const purge = database.prepare(
    `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE expires_at <= ? LIMIT ?)`,
  )
  return {
    find({ pk, sk }: Key): Row | undefined {
      const row = find.get(pk, sk) as unknown as [number, string, string, number | null, ...string[]] | undefined
      if (row === undefined) return undefined
      const [rowid, rev, item, expiresAt, ...places] = row
      return { rowid, rev, item, expiresAt, places }
    },
    /** Indexes are touched only when the item moves in one. */
    put({ pk, sk, rev, item, expiresAt, places }: RawItem, row: Row | undefined): void {
      if (row === undefined) insert.run(pk, sk, rev, item, expiresAt, ...places)
      else if (places.every((place, at) => place === row.places[at])) update.run(rev, item, expiresAt, row.rowid)
      else move.run(rev, item, expiresAt, ...places, row.rowid)
    },
    /** Whatever is there. */
    lay({ pk, sk, rev, item, expiresAt, places }: RawItem): void {
      if (isNowhere(places)) lay.run(pk, sk, rev, item, expiresAt)
      else place.run(pk, sk, rev, item, expiresAt, ...places)
    },
    remove: (row: Row): void => void remove.run(row.rowid),
    removeAt: ({ pk, sk }: Key): void => void removeAt.run(pk, sk),
    purge: (now: number, limit: number): number => Number(purge.run(now, limit).changes),
  }
}

export type ItemStatements = ReturnType<typeof prepareItems>

const arrays = (database: DatabaseSync, sql: string): StatementSync => {
  const statement = database.prepare(sql)
  statement.setReturnArrays(true)
  return statement
}

type NewChange = { now: number; type: string; before?: string | null; after?: string | null }

/** The log of changes, in the order of the commits. */
export const prepareChanges = (database: DatabaseSync) => {
  const last = database.prepare('SELECT max(seq) AS seq FROM changes').get() as { seq: number | null }
  const insert = database.prepare('INSERT INTO changes (seq, at, type, before, after) VALUES (?, ?, ?, ?, ?)')
  // The newest row stays, so that no number is ever given twice.
  const purge = database.prepare(
    `DELETE FROM changes WHERE at < ? AND seq < (SELECT max(seq) FROM changes)
     AND seq IN (SELECT seq FROM changes ORDER BY seq LIMIT ?)`,
  )
  const save = database.prepare('INSERT OR REPLACE INTO checkpoints (consumer, seq) VALUES (?, ?)')
  let seq = last.seq ?? 0
  return {
    add({ now, type, before = null, after = null }: NewChange): void {
      insert.run(++seq, now, type, before, after)
    },
    purge: (before: number, limit: number): number => Number(purge.run(before, limit).changes),
    saveCheckpoint: (consumer: string, upTo: number): void => void save.run(consumer, upTo),
    /** The number of the newest one. */
    last: (): number => seq,
    /** Goes on behind what is stored, after a rollback. */
    rewind(): void {
      seq = (database.prepare('SELECT max(seq) AS seq FROM changes').get() as { seq: number | null }).seq ?? 0
    },
  }
}

export type ChangeStatements = ReturnType<typeof prepareChanges>
