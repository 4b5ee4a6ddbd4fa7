import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Key } from '../platform.ts'
import { isNowhere, type RawItem, type TableName } from './sqlite-messages.ts'
import { placeColumns } from './sqlite-schema.ts'

/** A row as it is stored, whether or not its time is over. */
export type Row = {
  rowid: number
  rev: string
  item: string
  expiresAt: number | null
  /** The number of the change that left it so, if that is in the log. */
  change: number | null
  places: (string | null)[]
}

type FoundRow = [number, string, string, number | null, number | null, ...string[]]

/** The statements of one item table, prepared once. */
export const prepareItems = (database: DatabaseSync, table: TableName) => {
  const columns = ['pk', 'sk', 'rev', 'item', 'expires_at', 'change', ...placeColumns]
  const find = arrays(
    database,
    `SELECT rowid, rev, item, expires_at, change, ${placeColumns.join(', ')} FROM ${table} WHERE pk = ? AND sk = ?`,
  )
  const insert = database.prepare(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  )
  const update = database.prepare(`UPDATE ${table} SET rev = ?, item = ?, expires_at = ?, change = ? WHERE rowid = ?`)
  const move = database.prepare(
    `UPDATE ${table} SET rev = ?, item = ?, expires_at = ?, change = ?, ${placeColumns.map((one) => `${one} = ?`).join(', ')}
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
      const row = find.get(pk, sk) as unknown as FoundRow | undefined
      if (row === undefined) return undefined
      const [rowid, rev, item, expiresAt, change, ...places] = row
      return { rowid, rev, item, expiresAt, change, places }
    },
    /** Indexes are touched only when the item moves in one. */
    put({ pk, sk, rev, item, expiresAt, places }: RawItem, row: Row | undefined, change: number | null): void {
      if (row === undefined) insert.run(pk, sk, rev, item, expiresAt, change, ...places)
      else if (places.every((place, at) => place === row.places[at]))
        update.run(rev, item, expiresAt, change, row.rowid)
      else move.run(rev, item, expiresAt, change, ...places, row.rowid)
    },
    /** Whatever is there. */
    lay({ pk, sk, rev, item, expiresAt, places }: RawItem): void {
      if (isNowhere(places)) lay.run(pk, sk, rev, item, expiresAt)
      else place.run(pk, sk, rev, item, expiresAt, null, ...places)
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
