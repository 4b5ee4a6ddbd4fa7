import type { HistoryPage, Key, Page, RunEvent, RunEventPage, RunRef, Stored, Write } from '../../platform.ts'
import { PlatformError } from '../../platform-error.ts'
import type { SqliteTable } from '../sqlite-table.ts'
import type { Json } from './asl.ts'
import { type Execution, type Frame, type Head, noTally, parentPath, tallied } from './execution.ts'
import { historyPk, padded, pathOf, runPk } from './rows.ts'

/** The part of a table that runs are kept with. */
export type RunTable = Pick<SqliteTable, 'get' | 'getMany' | 'query' | 'queryKeys' | 'writeTogether'>

const pageSize = 1000

const allOf = async (table: RunTable, pk: string): Promise<Stored[]> => {
  const items: Stored[] = []
  let cursor: string | undefined
  do {
    const page: Page = await table.query({ pk, limit: pageSize, cursor })
    items.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return items
}

const withFrame = (execution: Execution, frame: Frame): Execution => {
  const parent = parentPath(frame.path)
  execution.frames.set(frame.path, frame)
  if (parent !== undefined)
    execution.tallies.set(parent, tallied(execution.tallies.get(parent) ?? noTally, undefined, frame))
  return execution
}

/** A run as it is stored. */
export const loadRun = async (table: RunTable, ref: RunRef): Promise<Execution | undefined> => {
  const rows = await allOf(table, runPk(ref))
  const at = (sk: string): unknown => rows.find((row) => row.sk === sk)?.value
  const head = at('head') as Head | undefined
  if (head === undefined) return undefined
  const execution: Execution = {
    head,
    input: (at('input') ?? null) as Json,
    frames: new Map(),
    tallies: new Map(),
    newest: (await lastEvent(table, ref))?.id ?? 0,
  }
  return rows
    .filter((row) => pathOf(row) !== undefined)
    .reduce((whole, row) => withFrame(whole, row.value as Frame), execution)
}

const lastEvent = async (table: RunTable, ref: RunRef): Promise<RunEvent | undefined> => {
  const { items } = await table.query<RunEvent[]>({ pk: historyPk(ref), order: 'descending', limit: 1 })
  return items[0]?.value.at(-1)
}

const asBare = ({ input: _, output: __, ...event }: RunEvent): RunEvent => event

const numberOf = (cursor: string | undefined): number | undefined => {
  if (cursor === undefined) return undefined
  if (!/^\d{1,9}$/.test(cursor)) throw new PlatformError('INVALID', 'the cursor is not one of this history')
  return Number(cursor)
}

/** Events of a run behind the one that the cursor names. */
export const readHistory = async (table: RunTable, ref: RunRef, page: HistoryPage): Promise<RunEventPage> => {
  const { limit = 100, order = 'ascending', bare = false } = page
  const from = numberOf(page.cursor)
  const ascending = order === 'ascending'
  const isNext = ({ id }: RunEvent): boolean => from === undefined || (ascending ? id > from : id < from)
  const after = ascending && from !== undefined ? await rowHolding(table, ref, from) : undefined
  const range = ascending
    ? { ...(after !== undefined && { after }) }
    : { ...(from !== undefined && { before: padded(from) }) }
  const events: RunEvent[] = []
  let cursor: string | undefined
  do {
    const rows: Page<RunEvent[]> = await table.query({ pk: historyPk(ref), order, limit: 100, cursor, ...range })
    for (const { value } of rows.items) {
      const next = (ascending ? value : value.toReversed()).filter(isNext)
      events.push(...(bare ? next.map(asBare) : next))
    }
    cursor = rows.cursor
  } while (cursor !== undefined && events.length <= limit)
  const taken = events.slice(0, limit)
  return { events: taken, ...(events.length > limit && { cursor: String(taken.at(-1)?.id) }) }
}

/** The key right before the row that has an event; rows are named by their first one. */
const rowHolding = async (table: RunTable, ref: RunRef, id: number): Promise<string | undefined> => {
  const before = padded(id + 1)
  const { items } = await table.query({ pk: historyPk(ref), before, order: 'descending', limit: 2 })
  return items[1]?.sk
}

/** Deletes all of a run, a little at a time. */
export const forgetRun = async (table: RunTable, ref: RunRef): Promise<void> => {
  for (const pk of [historyPk(ref), runPk(ref)])
    for (let keys = await keysOf(table, pk); keys.length > 0; keys = await keysOf(table, pk))
      await table.writeTogether(keys.map((key): Write => ({ op: 'delete', key, expect: 'any' })))
}

const keysOf = async (table: RunTable, pk: string): Promise<Key[]> =>
  (await table.query({ pk, limit: 200 })).items.map(({ pk, sk }) => ({ pk, sk }))
