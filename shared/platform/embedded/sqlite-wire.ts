import type { Expect } from '../platform.ts'
import {
  type AddRequest,
  isNowhere,
  type RawAdd,
  type RawItem,
  type RawWrite,
  type TableName,
  type WriteRequest,
  type WriterRequest,
} from './sqlite-messages.ts'

/**
 * Requests as one flat list of texts and numbers: what goes to another thread is copied name by name and value by value,
 * and a list without names costs both threads a third.
 */
export type Cell = string | number | null | undefined
export type Cells = Cell[]

const kinds = ['write', 'add', 'purge', 'checkpoint', 'inspect'] as const
const codeOf = Object.fromEntries(kinds.map((kind, code) => [kind, code])) as Record<(typeof kinds)[number], number>
const ops = { put: 0, delete: 1, check: 2, add: 3, untold: 4 } as const
const noPlace = 0
const somePlaces = 1
const placesLength = 8

/** `any` and `absent` as numbers, so that no rev can be mistaken for one. */
const expectCell = (expect: Expect): Cell => (expect === 'any' ? 0 : expect === 'absent' ? 1 : expect.rev)
const expectOf = (cell: Cell): Expect => (cell === 0 ? 'any' : cell === 1 ? 'absent' : { rev: cell as string })

const putAddition = (cells: Cells, { key, by, bound, rev }: RawAdd): void =>
  void cells.push(key.pk, key.sk, by, bound?.min, bound?.max, rev)

const putWrite = (cells: Cells, write: RawWrite): void => {
  if (write.op !== 'add') putExpecting(cells, write)
  else {
    cells.push(ops.add)
    putAddition(cells, write)
  }
}

const putExpecting = (cells: Cells, write: Exclude<RawWrite, RawAdd>): void => {
  const { pk, sk } = write.op === 'put' ? write.item : write.key
  const op = write.op === 'put' && write.untold ? 'untold' : write.op
  cells.push(ops[op], expectCell(write.expect), pk, sk)
  if (write.op !== 'put') return
  const { type, rev, item, expiresAt, places } = write.item
  cells.push(type, rev, item, expiresAt)
  if (isNowhere(places)) cells.push(noPlace)
  else cells.push(somePlaces, ...places)
}

const putWrites = (cells: Cells, { table, now, writes }: WriteRequest): void => {
  cells.push(table, now, writes.length)
  for (const write of writes) putWrite(cells, write)
}

const putAdd = (cells: Cells, { table, now, add }: AddRequest): void => {
  cells.push(table, now)
  putAddition(cells, add)
}

const putRequest = (cells: Cells, request: WriterRequest): void => {
  cells.push(codeOf[request.kind])
  if (request.kind === 'write') putWrites(cells, request)
  else if (request.kind === 'add') putAdd(cells, request)
  else if (request.kind === 'purge') cells.push(request.now, request.changesBefore)
  else if (request.kind === 'checkpoint') cells.push(request.consumer, request.seq)
}

export const toCells = (requests: readonly WriterRequest[]): Cells => {
  const cells: Cells = []
  for (const request of requests) putRequest(cells, request)
  return cells
}

type Take = () => Cell
const text = (take: Take): string => take() as string
const number = (take: Take): number => take() as number

const nowhere: null[] = Array.from({ length: placesLength }, () => null)

const takePlaces = (take: Take): RawItem['places'] =>
  take() === noPlace ? nowhere : Array.from({ length: placesLength }, () => take() as string | null)

const takeAddition = (take: Take): RawAdd => {
  const [pk, sk, by] = [text(take), text(take), number(take)]
  const [min, max] = [take() as number | undefined, take() as number | undefined]
  return { op: 'add', key: { pk, sk }, by, bound: { min, max }, rev: text(take) }
}

const takeWrite = (take: Take): RawWrite => {
  const op = take()
  if (op === ops.add) return takeAddition(take)
  const expect = expectOf(take())
  const key = { pk: text(take), sk: text(take) }
  if (op === ops.delete) return { op: 'delete', key, expect }
  if (op === ops.check) return { op: 'check', key, expect }
  const [type, rev, item, expiresAt] = [text(take), text(take), text(take), take() as number | null]
  const put: RawWrite = { op: 'put', item: { ...key, type, rev, item, expiresAt, places: takePlaces(take) }, expect }
  return op === ops.untold ? { ...put, untold: true } : put
}

const takeRequest = (take: Take): WriterRequest => {
  const kind = kinds[number(take)]
  if (kind === 'write') {
    const [table, now, count] = [text(take) as TableName, number(take), number(take)]
    return { kind, table, now, writes: Array.from({ length: count }, () => takeWrite(take)) }
  }
  if (kind === 'add') {
    return { kind, table: text(take) as TableName, now: number(take), add: takeAddition(take) }
  }
  if (kind === 'purge') return { kind, now: number(take), changesBefore: number(take) }
  if (kind === 'checkpoint') return { kind, consumer: text(take), seq: number(take) }
  return { kind: 'inspect' }
}

export const ofCells = (cells: Cells): WriterRequest[] => {
  const requests: WriterRequest[] = []
  let at = 0
  const take: Take = () => cells[at++]
  while (at < cells.length) requests.push(takeRequest(take))
  return requests
}
