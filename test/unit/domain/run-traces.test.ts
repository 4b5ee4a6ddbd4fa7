import { describe, expect, it } from 'vitest'
import { inOwnWords } from '#shared/domain/workflows/own-words.ts'
import { nextTry, statesOf, waitOf } from '#shared/domain/workflows/trace/asl.ts'
import { seenSteps } from '#shared/domain/workflows/trace/seen-steps.ts'
import { visitsOf } from '#shared/domain/workflows/trace/visits.ts'
import type { RunEvent } from '#shared/platform/platform.ts'
import { bind, runBindings } from '#shared/workflow-language/compile/expression.ts'

describe('the words of a definition', () => {
  it.each(['{% $input.a %}', '{% ($input.a) %}', '{% $f(")", $input.a) & $run.id %}', '{% 1 %}'])(
    'are those that were compiled: %s',
    (text) => expect(inOwnWords(String(bind(text, runBindings)))).toBe(text),
  )

  it('stay readable where they were cut', () => {
    const bound = String(bind('{% $input.some.long.path %}', runBindings))
    expect(inOwnWords(bound.slice(0, -9))).toBe('{% $input.some.long')
  })
})

/** Events as Step Functions has them: each follows the one of the number, else the one before. */
const events = (...rows: [type: string, more?: Partial<RunEvent>][]): RunEvent[] =>
  rows.map(([type, more], at) => ({ id: at + 1, previous: at, at: (at + 1) * 1000, type, ...more }))

const seen = (told: RunEvent[], isRunning = true) =>
  seenSteps(
    [
      { name: 'p', kind: 'parallel' },
      { name: 'a', kind: 'wait', in: 'p' },
      { name: 'b', kind: 'task', in: 'p' },
      { name: 'c', kind: 'set' },
    ],
    statesOf({}),
    { visits: visitsOf(told), isWhole: true, isRunning },
  ).map(({ name, state }) => `${name} ${state}`)

const begun: [string, Partial<RunEvent>?][] = [
  ['ExecutionStarted'],
  ['ParallelStateEntered', { name: 'p' }],
  ['ParallelStateStarted'],
  ['WaitStateEntered', { name: 'a' }],
  ['TaskStateEntered', { name: 'b', previous: 3 }],
  ['TaskScheduled'],
]

describe('what a machine has come to is known from events', () => {
  it('of branches beside each other', () => {
    expect(seen(events(...begun))).toEqual(['p RUNNING', 'a RUNNING', 'b RUNNING'])
    const left = events(...begun, ['WaitStateExited', { name: 'a', previous: 4 }])
    expect(seen(left)).toEqual(['p RUNNING', 'a SUCCEEDED', 'b RUNNING'])
  })

  it('of a branch that fails the others, where the block has no name', () => {
    const failed: [string, Partial<RunEvent>?][] = [
      ['TaskFailed', { error: 'E' }],
      ['ParallelStateFailed', { error: 'E' }],
    ]
    const caught = events(
      ...begun,
      ...failed,
      ['ParallelStateExited', { name: 'p' }],
      ['PassStateEntered', { name: 'c' }],
    )
    expect(seen(caught)).toEqual(['p FAILED', 'a ABANDONED', 'b FAILED', 'c RUNNING'])
    expect(seen(events(...begun, ...failed, ['ExecutionFailed', { error: 'E' }]), false)).toEqual([
      'p FAILED',
      'a ABANDONED',
      'b FAILED',
    ])
  })

  it('of a step that is tried again, until it is', () => {
    const failed: [string, Partial<RunEvent>?][] = [...begun, ['TaskFailed', { error: 'E' }]]
    expect(seen(events(...failed))).toContain('b PENDING')
    expect(seen(events(...failed, ['TaskScheduled']))).toContain('b RUNNING')
  })

  it('of which the first are not known', () => {
    const later = events(...begun, ['WaitStateExited', { name: 'a', previous: 4 }]).slice(4)
    expect(seen(later)).toEqual(['b RUNNING'])
  })
})

describe('a compiled state tells', () => {
  const visit = { type: 'Task', enteredAt: 1000, isFailed: true }
  const failures = (...errors: string[]) => errors.map((error, at) => ({ error, at: (at + 1) * 1000 }))

  it('until when it waits', () => {
    const states = statesOf({
      States: { w: { Seconds: 60 }, u: { Timestamp: '2030-01-01T00:00:00Z' }, x: { Timestamp: '{% $a %}' } },
    })
    const at = (state: string) => waitOf(states, { ...visit, state, failures: [] })
    expect([at('w'), at('u'), at('x')]).toEqual([
      { until: 61_000 },
      { until: Date.parse('2030-01-01') },
      { when: '{% $a %}' },
    ])
  })

  it('when it is tried again at the latest, by the rule of what it failed with', () => {
    const rule = { MaxAttempts: 2, IntervalSeconds: 10, MaxDelaySeconds: 15, BackoffRate: 2 }
    const Retry = [
      { ...rule, ErrorEquals: ['A'] },
      { ...rule, ErrorEquals: ['States.ALL'], MaxAttempts: 1 },
    ]
    const states = statesOf({ States: { s: { Branches: [{ States: { t: { Retry } } }] } } })
    const next = (...errors: string[]) => nextTry(states, { ...visit, state: 't', failures: failures(...errors) })
    expect(next('A')).toEqual({ until: 11_000, attempt: 2, attempts: 3 })
    expect(next('A', 'A')).toEqual({ until: 17_000, attempt: 3, attempts: 3 })
    expect(next('A', 'B')).toEqual({ until: 12_000, attempt: 3, attempts: 3 })
    expect(next('A', 'A', 'A')).toBeUndefined()
  })
})
