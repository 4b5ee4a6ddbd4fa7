import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Indexed, IndexName, Page, Query, Stored } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import type { TableName } from './sqlite-messages.ts'

const defaultLimit = 100
const maxLimit = 1000
/** Sorts after every character that keys are made of. */
const last = '\u{10ffff}'

type FoundRow = Indexed & { item: string; expires_at: number | null }

const encodeCursor = (parts: string[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url')

/** The place where a page goes on; the first parts say of which list it is, and must be those of this one. */
const decodeCursor = (cursor: string | undefined, list: string[], length: number): string[] | undefined => {
  if (cursor === undefined) return undefined
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    const right = Array.isArray(parts) && parts.length === list.length + length && parts.every(isText)
    if (right && list.every((part, at) => part === parts[at])) return parts.slice(list.length)
  } catch {
    // falls through to the refusal
  }
  throw new PlatformError('INVALID', 'the cursor is not one of this list')
}

const isText = (part: unknown): part is string => typeof part === 'string'

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>()

const prepared = (database: DatabaseSync, sql: string): StatementSync => {
  const known = statements.get(database) ?? new Map<string, StatementSync>()
  statements.set(database, known)
  const statement = known.get(sql) ?? database.prepare(sql)
  known.set(sql, statement)
  return statement
}

const clamp = (limit = defaultLimit): number => Math.max(1, Math.min(limit, maxLimit))

/** Keys are ordered by their bytes, which JavaScript's own order of strings is not. */
const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** Where a range begins, where it ends, and whether it begins behind its beginning; it never has its end. */
const rangeOf = ({ after, before = last, prefix = '' }: Query): { from: string; behind: boolean; to: string } => {
  const behind = after !== undefined && compare(after, prefix) >= 0
  const end = prefix === '' ? last : prefix + last
  return { from: behind ? after : prefix, behind, to: compare(before, end) < 0 ? before : end }
}

/** The rows of a page and one more, if there is one: each names its place in the list. */
const select = <R>(database: DatabaseSync, table: TableName, query: Query, columns: string): R[] => {
  const { index } = query
  const [pkColumn, skColumn] = index === undefined ? ['pk', 'sk'] : [`${index}_pk`, `${index}_sk`]
  const { from, behind, to } = rangeOf(query)
  const at = decodeCursor(query.cursor, listOf(query), 3)
  const [direction, compared] = query.order === 'descending' ? ['DESC', '<'] : ['ASC', '>']
  const sql = `SELECT pk, sk, ${skColumn} AS place${columns} FROM ${table}
    WHERE ${pkColumn} = ? AND ${skColumn} ${behind ? '>' : '>='} ? AND ${skColumn} < ?
    ${at ? `AND (${skColumn}, pk, sk) ${compared} (?, ?, ?)` : ''}
    ORDER BY ${skColumn} ${direction}, pk ${direction}, sk ${direction} LIMIT ?`
  return prepared(database, sql).all(query.pk, from, to, ...(at ?? []), clamp(query.limit) + 1) as R[]
}

const listOf = ({ index, pk }: Query): string[] => [index ?? '', pk]
const placeIn =
  (query: Query) =>
  ({ place, pk, sk }: Indexed): string[] => [...listOf(query), place, pk, sk]

/** One page of an index partition, or of one `pk`. Expired rows count as examined and are left out. */
export const readQuery = (database: DatabaseSync, table: TableName, query: Query, now: number): Page => {
  const rows = select<FoundRow>(database, table, query, ', item, expires_at')
  return toPage(rows, clamp(query.limit), now, placeIn(query))
}

/** One page of the keys in an index. */
export const readKeys = (
  database: DatabaseSync,
  table: TableName,
  query: Query & { index: IndexName },
): { items: Indexed[]; cursor?: string } => {
  const limit = clamp(query.limit)
  const rows = select<Indexed>(database, table, query, '')
  const items = rows.slice(0, limit).map(({ pk, sk, place }) => ({ pk, sk, place }))
  const end = items.at(-1)
  return rows.length > limit && end ? { items, cursor: encodeCursor(placeIn(query)(end)) } : { items }
}

const toPage = (rows: FoundRow[], limit: number, now: number, placeOf: (row: FoundRow) => string[]): Page => {
  const examined = rows.slice(0, limit)
  const live = examined.filter(({ expires_at }) => expires_at === null || expires_at > now)
  const items = live.map(({ item }) => JSON.parse(item) as Stored)
  const end = examined.at(-1)
  return rows.length > limit && end ? { items, cursor: encodeCursor(placeOf(end)) } : { items }
}

type Part = { segment: number; of: number; cursor?: string; limit?: number }

const checkPart = ({ segment, of }: Part): void => {
  if (!Number.isInteger(of) || of < 1 || !Number.isInteger(segment) || segment < 0 || segment >= of)
    throw new PlatformError('INVALID', `a segment is one of 0 to of - 1; received ${segment} of ${of}`)
}

/** One page of one of `of` parts of the whole table: of as many rows, those that are of the part. */
export const readScan = (database: DatabaseSync, table: TableName, part: Part, now: number): Page => {
  checkPart(part)
  const limit = clamp(part.limit)
  const list = [`scan ${part.segment} of ${part.of}`]
  const [pk = '', sk = ''] = decodeCursor(part.cursor, list, 2) ?? []
  const sql = `SELECT pk, sk, sk AS place, item, expires_at FROM ${table}
    WHERE (pk, sk) > (?, ?) ORDER BY pk, sk LIMIT ?`
  const rows = prepared(database, sql).all(pk, sk, limit + 1) as FoundRow[]
  const end = rows.length > limit ? rows.at(limit - 1) : undefined
  const own = rows.slice(0, limit).filter((row) => segmentOf(row.pk, part.of) === part.segment)
  const { items } = toPage(own, limit, now, () => [])
  return end ? { items, cursor: encodeCursor([...list, end.pk, end.sk]) } : { items }
}

const segmentOf = (pk: string, of: number): number => {
  let hash = 0
  for (let at = 0; at < pk.length; at++) hash = (hash * 31 + pk.charCodeAt(at)) >>> 0
  return hash % of
}
