import type { Item, Key, Platform, Stored } from '../../platform/platform.ts'
import { changeItem, changeStored } from '../contention.ts'
import { dueIndex } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import { idFromKey } from '../ids.ts'
import { type Ended, markRows, pageOf, type RowPage } from './bitmap.ts'
import type { FanOut } from './fan-out.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** The record of the shards of a task; by a key that no caller can choose for a batch. */
export const fanOutIdOf = (tenant: string, task: string): string => idFromKey('bat', tenant, `task\n${task}`)

export const fanOutPk = (tenant: string, id: string): string => `${tenant}#batch#${id}`
const headKey = (tenant: string, id: string): Key => ({ pk: fanOutPk(tenant, id), sk: 'head' })
/** Partition of the `list` index that holds a tenant's batches. */
export const batchListPk = (tenant: string): string => `${tenant}#batches`

/** Where a reader of pages looks for the task of a row; the key is none that a caller can choose. */
export const rowKey = (fan: Pick<FanOut, 'id'>, row: number | 'split' | 'join'): string => `${fan.id}\n${row}`
export const rowTaskId = (fan: Pick<FanOut, 'id' | 'tenant'>, row: number | 'split' | 'join'): string =>
  idFromKey('tsk', fan.tenant, rowKey(fan, row))

/** The head as it is stored; what belongs to a task is no batch of its own. */
export const fanOutItem = (fan: FanOut): Item<FanOut> => ({
  ...headKey(fan.tenant, fan.id),
  type: 'batch',
  value: fan,
  index: {
    ...(fan.task === undefined && {
      list: { pk: batchListPk(fan.tenant), sk: `${String(fan.createdAt).padStart(15, '0')}#${fan.id}` },
    }),
    ...(fan.dueAt !== undefined && { due: dueIndex(fan.dueAt, fan.tenant, fan.id) }),
  },
})

export const findFanOut = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<FanOut> | undefined> => main.get<FanOut>(headKey(tenant, id))

/** The batch, or `NOT_FOUND`. */
export const getFanOut = async (ports: Pick<Platform, 'main'>, tenant: string, id: string): Promise<Stored<FanOut>> => {
  const found = await findFanOut(ports, tenant, id)
  if (found === undefined) throw new DomainError('NOT_FOUND', `there is no batch ${id}`)
  return found
}

/** Changes with compare-and-swap until no one else came first; the same object again means: nothing to store. */
export const changeFanOut = (
  ports: Ports,
  start: Stored<FanOut>,
  change: (fan: FanOut) => FanOut,
): Promise<Stored<FanOut>> =>
  changeStored(ports, { table: ports.main, start, what: `batch ${start.value.id}` }, change, fanOutItem)

type Owner = Pick<FanOut, 'tenant' | 'id'>

const pageKey = ({ tenant, id }: Owner, page: number): Key => ({
  pk: fanOutPk(tenant, id),
  sk: `page#${String(page).padStart(6, '0')}`,
})

/** The open pages, in the order of `fan.open`. */
export const loadPages = async ({ main }: Pick<Platform, 'main'>, fan: FanOut): Promise<(RowPage | undefined)[]> => {
  const stored = await main.getMany<RowPage>(fan.open.map((page) => pageKey(fan, page)))
  return stored.map((item) => item?.value)
}

/** Notes what became of rows: one compare-and-swap for each of their pages. */
export const markEnded = async (ports: Ports, fan: Owner, marks: (readonly [number, Ended])[]): Promise<void> => {
  const byPage = Map.groupBy(marks, ([row]) => pageOf(row))
  await Promise.all([...byPage].map(([page, ofPage]) => markPage(ports, pageKey(fan, page), ofPage)))
}

const markPage = async (ports: Ports, key: Key, marks: (readonly [number, Ended])[]): Promise<void> => {
  const what = `${key.sk} of ${key.pk}`
  await changeItem<RowPage>(ports, { table: ports.main, key, what }, (page) => {
    const value = markRows(page, marks)
    return value === page ? undefined : { ...key, type: 'batch-page', value }
  })
}

/** Rows that could not be submitted, and why. */
export type BadRow = { row: number; code: string; message: string }
const badPrefix = 'bad#'
const badSk = (row: number): string => `${badPrefix}${String(row).padStart(10, '0')}`

/** Stored again they are the same: a part that was submitted twice is written twice. */
export const noteBadRows = async ({ main }: Pick<Platform, 'main'>, fan: Owner, bad: BadRow[]): Promise<void> => {
  const [first] = bad
  if (first === undefined) return
  const item = { pk: fanOutPk(fan.tenant, fan.id), sk: badSk(first.row), type: 'batch-bad', value: bad }
  await main.write({ op: 'put', item, expect: 'any' })
}

/** By row, those from `from` up to `to`; those before it may be in the same item. */
export const badRows = async (
  { main }: Pick<Platform, 'main'>,
  fan: Owner,
  { from, to, span }: { from: number; to: number; span: number },
): Promise<Map<number, BadRow>> => {
  const found = new Map<number, BadRow>()
  let cursor: string | undefined
  do {
    const page = await main.query<BadRow[]>({
      pk: fanOutPk(fan.tenant, fan.id),
      after: from > span ? badSk(from - span - 1) : badPrefix, // what is named is left out
      before: badSk(to),
      limit: 100,
      cursor,
    })
    for (const { value } of page.items) for (const bad of value) found.set(bad.row, bad)
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}
