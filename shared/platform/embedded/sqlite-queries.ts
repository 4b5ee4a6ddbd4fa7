import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Page, Query } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import type { RawRow, TableName } from './sqlite-messages.ts'
import { toStored } from './sqlite-rows.ts'

const defaultLimit = 100
const maxLimit = 1000
/** Sorts after every character that keys are made of. */
const last = '\u{10ffff}'

const encodeCursor = (parts: string[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url')

const decodeCursor = (cursor: string | undefined, length: number): string[] | undefined => {
  if (cursor === undefined) return undefined
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (Array.isArray(parts) && parts.length === length && parts.every((part) => typeof part === 'string')) return parts
  } catch {
    // falls through to the refusal
  }
  throw new PlatformError('INVALID', 'the cursor is not one of this list')
}

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>()

const prepared = (database: DatabaseSync, sql: string): StatementSync => {
  const known = statements.get(database) ?? new Map<string, StatementSync>()
  statements.set(database, known)
  const statement = known.get(sql) ?? database.prepare(sql)
  known.set(sql, statement)
  return statement
}

const clamp = (limit = defaultLimit): number => Math.max(1, Math.min(limit, maxLimit))

/** One page of an index partition, or of one `pk`. Expired rows count as examined and are left out. */
export const readQuery = (database: DatabaseSync, table: TableName, query: Query, now: number): Page => {
  const [pkColumn, skColumn] = query.index ? [`${query.index}_pk`, `${query.index}_sk`] : ['pk', 'sk']
  const descending = query.order === 'descending'
  const limit = clamp(query.limit)
  const prefix = query.prefix ?? ''
  const from = [query.after ?? '', prefix].sort().at(-1) ?? ''
  const exclusive = query.after !== undefined && query.after >= prefix
  const to = [query.before ?? last, prefix === '' ? last : prefix + last].sort()[0] ?? last
  const at = decodeCursor(query.cursor, 3)
  const [direction, compare] = descending ? ['DESC', '<'] : ['ASC', '>']
  const sql = `SELECT * FROM ${table} WHERE ${pkColumn} = ? AND ${skColumn} ${exclusive ? '>' : '>='} ? AND ${skColumn} < ?
    ${at ? `AND (${skColumn}, pk, sk) ${compare} (?, ?, ?)` : ''}
    ORDER BY ${skColumn} ${direction}, pk ${direction}, sk ${direction} LIMIT ?`
  const rows = prepared(database, sql).all(query.pk, from, to, ...(at ?? []), limit + 1) as RawRow[]
  return toPage(rows, limit, now, (row) => [String(row[skColumn]), row.pk, row.sk])
}

const toPage = (rows: RawRow[], limit: number, now: number, place: (row: RawRow) => string[]): Page => {
  const examined = rows.slice(0, limit)
  const items = examined.filter(({ expires_at }) => expires_at === null || expires_at > now).map((row) => toStored(row))
  const end = examined.at(-1)
  return rows.length > limit && end ? { items, cursor: encodeCursor(place(end)) } : { items }
}

/** One page of one of `of` parts of the whole table. */
export const readScan = (
  database: DatabaseSync,
  table: TableName,
  part: { segment: number; of: number; cursor?: string; limit?: number },
  now: number,
): Page => {
  const limit = clamp(part.limit)
  const [pk, sk] = decodeCursor(part.cursor, 2) ?? ['', '']
  const sql = `SELECT * FROM ${table} WHERE (pk, sk) > (?, ?) ORDER BY pk, sk LIMIT ?`
  const rows = prepared(database, sql).all(pk ?? '', sk ?? '', limit + 1) as RawRow[]
  const page = toPage(rows, limit, now, (row) => [row.pk, row.sk])
  return { ...page, items: page.items.filter((item) => segmentOf(item.pk, part.of) === part.segment) }
}

const segmentOf = (pk: string, of: number): number => {
  let hash = 0
  for (let at = 0; at < pk.length; at++) hash = (hash * 31 + pk.charCodeAt(at)) >>> 0
  return hash % of
}
