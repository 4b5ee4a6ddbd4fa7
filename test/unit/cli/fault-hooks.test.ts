import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkHistory } from '#cli/server/faults/check/check-history.ts'
import type { Call, Column, FinalTask } from '#cli/server/faults/check/history.ts'
import { createDice } from '#cli/server/faults/dice.ts'
import { operationOf } from '#cli/server/faults/operation-of.ts'
import { parseFaultPlan, placesOf } from '#cli/server/faults/plan.ts'
import { operations } from '#shared/contracts/operations.ts'

const aFinalTask = (change: Partial<FinalTask> = {}): FinalTask => ({
  id: 't1',
  status: 'SUCCEEDED',
  states: [
    { seq: 1, to: 'QUEUED' },
    { seq: 2, from: 'QUEUED', to: 'RUNNING' },
    { seq: 3, from: 'RUNNING', to: 'SUCCEEDED' },
  ],
  seqs: [1, 2, 3],
  attempts: [{ fence: '1.1', instance: 'i1', outcome: 'SUCCEEDED' }],
  ...change,
})

let place = 0
const aCall = (operation: string, change: Partial<Call> = {}): Call => ({
  id: `r${++place}`,
  operation,
  principal: 'i1',
  params: {},
  from: place,
  to: ++place,
  ...change,
})
const submitted = () => aCall('submitTask', { answer: { status: 202, task: { id: 't1', status: 'QUEUED' } } })
const leased = (fence: string, principal = 'i1') =>
  aCall('leaseTasks', { principal, answer: { status: 200, leased: [{ id: 't1', fence }] } })
const completed = (fence: string, digest = 'd') =>
  aCall('completeTask', {
    params: { task: 't1' },
    fence,
    digest,
    answer: { status: 200, task: { id: 't1', status: 'SUCCEEDED' } },
  })

const columnsOf = (calls: Call[], tasks: FinalTask[]): Column[] =>
  checkHistory({ calls, tasks, idOf: () => undefined }).map(({ column }) => column)

describe('the checker of histories', () => {
  it('finds nothing in a good one, nor in a call that was repeated because its answer was lost', () => {
    expect(columnsOf([submitted(), leased('1.1'), completed('1.1')], [aFinalTask()])).toEqual([])
    const lost = aCall('failTask', { params: { task: 't1' }, fence: '1.1', digest: 'f', to: undefined })
    const again = aCall('failTask', { params: { task: 't1' }, fence: '1.1', digest: 'f', answer: { status: 200 } })
    const calls = [submitted(), leased('1.1'), lost, leased('1.2'), { ...again, from: ++place, to: ++place }]
    expect(
      columnsOf(calls, [aFinalTask({ status: 'QUEUED', waits: true, states: [{ seq: 1, to: 'QUEUED' }], seqs: [1] })]),
    ).toEqual([])
  })

  it('holds a completion to what it was answered: a budget that it spent ends its task as FAILED', () => {
    const states = [...aFinalTask().states.slice(0, 2), { seq: 3, from: 'RUNNING', to: 'FAILED' }]
    const spent = aFinalTask({ status: 'FAILED', states })
    const answer = { status: 200, task: { id: 't1', status: 'FAILED' } }
    expect(columnsOf([submitted(), leased('1.1'), { ...completed('1.1'), answer }], [spent])).toEqual([])
    expect(columnsOf([submitted(), leased('1.1'), { ...completed('1.1'), answer }], [aFinalTask()])).toEqual(['lost'])
    expect(columnsOf([submitted(), leased('1.1'), completed('1.1')], [spent])).toEqual(['lost'])
  })

  it.each<[string, Column, () => [Call[], FinalTask[]]]>([
    ['an accepted task that is gone', 'lost', () => [[submitted()], []]],
    [
      'an accepted completion that is gone',
      'lost',
      () => [
        [submitted(), completed('1.1')],
        [
          aFinalTask({
            status: 'CANCELLED',
            states: [
              { seq: 1, to: 'QUEUED' },
              { seq: 2, from: 'QUEUED', to: 'CANCELLED' },
            ],
            seqs: [1, 2],
          }),
        ],
      ],
    ],
    ['a task of nobody', 'unexpected', () => [[], [aFinalTask()]]],
    ['a defect', 'unexpected', () => [[submitted(), aCall('getTask', { answer: { status: 500 } })], [aFinalTask()]]],
    [
      'two ends',
      'duplicated',
      () => [
        [submitted()],
        [
          aFinalTask({
            states: [...aFinalTask().states, { seq: 4, from: 'SUCCEEDED', to: 'SUCCEEDED' }],
            seqs: [1, 2, 3, 4],
          }),
        ],
      ],
    ],
    [
      'two completions',
      'duplicated',
      () => [[submitted(), leased('1.1'), completed('1.1', 'a'), completed('1.1', 'b')], [aFinalTask()]],
    ],
    [
      'one fence for two',
      'duplicated',
      () => [[submitted(), leased('1.1', 'i1'), leased('1.1', 'i2')], [aFinalTask()]],
    ],
    [
      'a zombie',
      'stale_accepted',
      () => [[submitted(), leased('1.1'), leased('1.2', 'i2'), completed('1.1')], [aFinalTask()]],
    ],
    [
      'a fence that goes back',
      'stale_accepted',
      () => [
        [submitted()],
        [aFinalTask({ attempts: ['1.2', '1.1'].map((fence) => ({ fence, instance: 'i1', outcome: 'X' })) })],
      ],
    ],
    [
      'an edge that does not exist',
      'illegal_transition',
      () => [
        [submitted()],
        [
          aFinalTask({
            states: [
              { seq: 1, to: 'QUEUED' },
              { seq: 2, from: 'QUEUED', to: 'SUCCEEDED' },
            ],
            seqs: [1, 2],
          }),
        ],
      ],
    ],
    ['a gap', 'illegal_transition', () => [[submitted()], [aFinalTask({ seqs: [1, 3] })]]],
    [
      'a task that does not end',
      'stuck',
      () => [[submitted()], [aFinalTask({ status: 'QUEUED', states: [{ seq: 1, to: 'QUEUED' }], seqs: [1] })]],
    ],
  ])('finds %s', (_, column, build) => {
    expect(new Set(columnsOf(...build()))).toContain(column)
  })
})

describe('a fault plan', () => {
  it.each([
    ['{', 'the fault plan is not JSON'],
    ['{"rules":[]}', '#/rules'],
    [
      '{"rules":[{"fault":"delay","where":"main.write"}]}',
      '#/rules/0/probability: expected one of probability, nth, every; received none',
    ],
    ['{"rules":[{"fault":"crash","where":"main.put","nth":1}]}', '#/rules/0/where: a crash cannot be at main.put'],
    ['{"rules":[{"fault":"crash","where":"main.write","nth":1,"ms":3}]}', '#/rules/0/ms: only a delay has ms'],
  ])('%s is refused, with the place', (text, message) => {
    expect(() => parseFaultPlan(text)).toThrow(message)
  })

  it('names every operation of the API, and several calls by a star', () => {
    for (const where of Object.keys(operations)) expect(placesOf({ fault: 'throttle', where })).toEqual([where])
    expect(placesOf({ fault: 'delay', where: 'main.get*' })).toEqual(['main.get', 'main.getMany'])
  })

  it('hits the same calls for the same seed, never more often than it may, and counts each rule by itself', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.integer({ min: 1, max: 5 }), (seed, times) => {
        const rules = [
          { fault: 'delay' as const, where: 'main.write', probability: 0.4, times },
          { fault: 'throttle' as const, where: 'main.*', every: 3 },
        ]
        const roll = (): string[] => {
          const dice = createDice({ seed, rules })
          return Array.from({ length: 30 }, () =>
            dice
              .roll('main.write')
              .map(({ fault }) => fault)
              .join(),
          )
        }
        const hits = roll()
        expect(roll()).toEqual(hits)
        expect(hits.filter((hit) => hit.includes('delay')).length).toBeLessThanOrEqual(times)
        expect(hits.flatMap((hit, at) => (hit.includes('throttle') ? [at + 1] : []))).toEqual([
          3, 6, 9, 12, 15, 18, 21, 24, 27, 30,
        ])
      }),
    )
  })
})

describe('the operation of a request', () => {
  it('is the one of the contract, with its parameters', () => {
    expect(operationOf('POST', '/api/v2/tasks/tsk_1/complete')).toEqual({
      operation: 'completeTask',
      params: { task: 'tsk_1' },
    })
    expect(operationOf('POST', '/api/v2/tasks')).toEqual({ operation: 'submitTask', params: {} })
    expect(operationOf('PUT', '/api/v2/tasks')).toBeUndefined()
  })
})
