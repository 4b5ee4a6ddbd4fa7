import { describe, expect, it } from 'vitest'
import { times } from '#functions/api/times.ts'
import { decide, planNext, record, type Schedule } from '#shared/domain/schedules/schedule.ts'

const minute = 60_000
const aSchedule = (change: Partial<Schedule> = {}): Schedule => {
  const schedule: Schedule = {
    id: 'sch_1',
    tenant: 'default',
    timing: { rate: { everySeconds: 60, from: 0 } },
    task: { capability: 'x', labels: {} },
    overlap: 'skip',
    catchUpSeconds: 90,
    state: 'ACTIVE',
    counts: { started: 0, skipped: 0, missed: 0, refused: 0 },
    createdAt: 0,
    updatedAt: 0,
    created: 'digest',
    stamp: { actor: 'key:a', action: 'schedule.create', request: 'r' },
    ...change,
  }
  return planNext(schedule, 0, times)
}
const at = (schedule: Schedule, now: number, busy = false) => decide(schedule, { now, busy, times })

describe('a schedule', () => {
  it('starts what is due, and plans the next start from the time, not from when it was looked at', () => {
    const decision = at(aSchedule(), minute + 500)
    expect(decision).toMatchObject({ start: minute, schedule: { nextAt: 2 * minute, dueAt: 2 * minute } })
    expect(at(aSchedule(), 100).start).toBeUndefined()
  })

  it('makes up the latest of several late starts within its window, and counts the others as missed', () => {
    expect(at(aSchedule(), 3 * minute + 1000)).toMatchObject({
      start: 3 * minute,
      schedule: { counts: { missed: 1 }, nextAt: 4 * minute },
    })
    expect(at(aSchedule({ timing: { at: minute } }), 10 * minute)).toMatchObject({
      schedule: { state: 'ENDED', counts: { missed: 1 } },
    })
    expect(at(aSchedule({ catchUpSeconds: 0 }), minute).start).toBe(minute)
  })

  it('ends after the only time that it was for', () => {
    expect(at(aSchedule({ timing: { at: minute } }), minute)).toMatchObject({
      start: minute,
      schedule: { state: 'ENDED', dueAt: undefined },
    })
  })

  it('skips, waits, or cancels while the task before has not ended', () => {
    const before = { lastTask: 'tsk_1' }
    const skipped = at(aSchedule(before), minute, true)
    expect(skipped.start).toBeUndefined()
    expect(skipped).toMatchObject({
      schedule: { counts: { skipped: 1 }, last: { outcome: 'SKIPPED' }, nextAt: 2 * minute },
    })
    expect(at(aSchedule({ ...before, overlap: 'cancel-previous' }), minute, true)).toMatchObject({
      start: minute,
      cancel: 'tsk_1',
    })
    const waiting = at(aSchedule({ ...before, overlap: 'queue' }), minute, true)
    expect(waiting.start).toBeUndefined()
    expect(waiting).toMatchObject({ schedule: { waitingFor: minute, dueAt: 2 * minute } })
    expect(at(waiting.schedule, minute + 5)).toMatchObject({ start: minute, schedule: { waitingFor: undefined } })
    const once = at(aSchedule({ ...before, overlap: 'queue', timing: { at: minute } }), minute, true)
    expect(once.schedule).toMatchObject({ state: 'ACTIVE', waitingFor: minute, dueAt: 2 * minute })
    expect(at(once.schedule, minute + 5)).toMatchObject({ start: minute, schedule: { state: 'ENDED' } })
  })

  it('does nothing while it is paused, and keeps how starts went', () => {
    expect(at(aSchedule({ state: 'PAUSED' }), 9 * minute).start).toBeUndefined()
    const started = record(aSchedule(), { at: minute, task: 'tsk_2', outcome: 'STARTED' })
    const refused = record(started, { at: 2 * minute, outcome: 'REFUSED', message: 'no' })
    expect(refused).toMatchObject({ lastTask: 'tsk_2', counts: { started: 1, refused: 1 }, last: { message: 'no' } })
  })
})
