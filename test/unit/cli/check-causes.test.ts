import { expect, it } from 'vitest'
import { checkHistory } from '#cli/server/faults/check/check-history.ts'
import type { Call, FinalCauses, FinalTask } from '#cli/server/faults/check/history.ts'

const aTask = (id: string, change: Partial<FinalTask> = {}): FinalTask => ({
  id,
  status: 'QUEUED',
  waits: true,
  states: [{ seq: 1, to: 'QUEUED' }],
  seqs: [1],
  attempts: [],
  ...change,
})
const aCall = (operation: string, change: Partial<Call> = {}): Call => ({
  id: 'r1',
  operation,
  principal: 'key:k',
  params: {},
  from: 1,
  to: 2,
  ...change,
})
const nothing: FinalCauses = { told: [], matched: new Set(), starts: new Map(), runs: new Set() }
const found = (calls: Call[], tasks: FinalTask[], causes: Partial<FinalCauses> = {}) =>
  checkHistory({
    calls,
    tasks,
    idOf: ({ key }) => key && `by ${key}`,
    causes: { ...nothing, ...causes },
  }).map(({ column, message }) => `${column}: ${message}`)

it('a task that a match became was asked for; of a subscription that is gone nobody knows', () => {
  const task = aTask('t1', { ofTopic: true })
  expect(found([], [task], { matched: new Set(['t1']) })).toEqual([])
  expect(found([], [task])).toEqual(['unexpected: nobody submitted t1'])
  const gone = aCall('deleteSubscription', { answer: { status: 204 } })
  expect(found([gone], [task])).toEqual([])
  expect(found([gone], [aTask('t1')])).toEqual(['unexpected: nobody submitted t1'])
})

it('a command is a submit: its task was asked for, and must be there; another message makes none', () => {
  const answer = { status: 202, task: { id: 't1', status: 'QUEUED' } }
  const command = aCall('sendMessage', { kind: 'command', answer })
  expect(found([command], [aTask('t1')])).toEqual([])
  expect(found([command], [])).toEqual(['lost: t1 was accepted (r1) and is not there'])
  const open = { to: undefined, answer: undefined }
  expect(found([aCall('sendMessage', { kind: 'command', ...open })], [aTask('t1')])).toEqual([])
  expect(found([aCall('sendMessage', { kind: 'command', key: 'a', ...open })], [aTask('by a')])).toEqual([])
  expect(found([aCall('sendMessage', { kind: 'event', ...open })], [aTask('t1')])).toEqual([
    'unexpected: nobody submitted t1',
  ])
  const twice = { ...command, key: 'a', answer: { status: 202, task: { id: 't2', status: 'QUEUED' } } }
  expect(found([{ ...command, key: 'a' }, twice], [aTask('t1'), aTask('t2')])).toEqual([
    'duplicated: one idempotency key made two tasks: key:k a: t1, t2',
  ])
})

it('what says that it made a task has made it', () => {
  const told = [{ task: 't1', by: 'mat_1 of sub_1' }]
  expect(found([], [aTask('t1', { derived: true })], { told })).toEqual([])
  expect(found([], [], { told })).toEqual(['lost: mat_1 of sub_1 made t1, which is not there'])
})

it('a schedule has no more tasks than it has started', () => {
  const tasks = ['t1', 't2'].map((id) => aTask(id, { derived: true, schedule: 'sch_1' }))
  expect(found([], tasks, { starts: new Map([['sch_1', 2]]) })).toEqual([])
  expect(found([], tasks, { starts: new Map([['sch_1', 1]]) })).toEqual([
    'duplicated: sch_1 says that it started 1, and 2 tasks are of it',
  ])
})

it('a run that was accepted is there', () => {
  const started = aCall('startRun', { answer: { status: 202, run: 'run_1' } })
  expect(found([started], [], { runs: new Set(['run_1']) })).toEqual([])
  expect(found([started], [])).toEqual(['lost: run_1 was accepted and is not there'])
  expect(found([{ ...started, answer: { status: 500 } }], [])).toEqual(['unexpected: startRun r1 was answered 500'])
})
