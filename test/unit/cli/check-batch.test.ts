import { expect, it } from 'vitest'
import { checkHistory } from '#cli/server/faults/check/check-history.ts'
import type { Call, FinalBatch, FinalTask } from '#cli/server/faults/check/history.ts'

const rowIdOf = (batch: string, row: number): string => `${batch} ${row}`
const accepted: Call = {
  id: 'r1',
  operation: 'createBatch',
  principal: 'key:k',
  params: {},
  from: 1,
  to: 2,
  answer: { status: 202, batch: 'bat_1' },
}
const aBatch = (change: Partial<FinalBatch> = {}): FinalBatch => ({
  id: 'bat_1',
  state: 'SUCCEEDED',
  stopped: false,
  submitted: 3,
  rows: 3,
  refused: new Set(),
  ...change,
})
const aRow = (row: number, status = 'CANCELLED'): FinalTask => ({
  id: rowIdOf('bat_1', row),
  status,
  derived: true,
  batch: 'bat_1',
  waits: true,
  states: [{ seq: 1, to: 'QUEUED' }, ...(status === 'QUEUED' ? [] : [{ seq: 2, from: 'QUEUED', to: status }])],
  seqs: status === 'QUEUED' ? [1] : [1, 2],
  attempts: [],
})
const found = (final: FinalBatch[], rows: FinalTask[], calls = [accepted]) =>
  checkHistory({ calls, tasks: rows, idOf: () => undefined, batches: { final, rowIdOf } }).map(
    ({ column, message }) => `${column}: ${message}`,
  )
const all = [aRow(0), aRow(1), aRow(2)]
const lost = (row: number) => `lost: line ${row + 1} of bat_1 was accepted and never became a task`

it('a batch whose rows are tasks, or lines of its report, is good; a row that is neither is lost', () => {
  expect(found([aBatch()], all)).toEqual([])
  expect(found([aBatch({ state: 'PARTIAL', refused: new Set([1]) })], [aRow(0), aRow(2)])).toEqual([])
  expect(found([aBatch()], [aRow(0), aRow(2)])).toEqual([lost(1)])
})

it('a batch that stands still has lost the rows that it did not come to, and is stuck', () => {
  const still = aBatch({ state: 'RUNNING', submitted: 1 })
  const stuck = 'stuck: bat_1 is still RUNNING, and none of its tasks is'
  expect(found([still], [aRow(0)])).toEqual([lost(1), lost(2), stuck])
  expect(found([aBatch({ state: 'RUNNING' })], all)).toEqual([stuck])
})

it('a batch that waits for its tasks, and one that was stopped, owe nothing that was not submitted', () => {
  expect(found([aBatch({ state: 'RUNNING', submitted: 1 })], [aRow(0, 'QUEUED')])).toEqual([])
  expect(found([aBatch({ state: 'CANCELLED', stopped: true, submitted: 1 })], [aRow(0)])).toEqual([])
})

it('a batch that was accepted and is not there is lost, unless its answer was', () => {
  expect(found([], [])).toEqual(['lost: bat_1 was accepted and is not there'])
  const { answer: _, ...open } = accepted
  expect(found([], [], [open])).toEqual([])
})
