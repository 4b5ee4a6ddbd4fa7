import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { times } from '#functions/api/times.ts'
import { begin, decide, record, type Schedule, settle } from '#shared/domain/schedules/schedule.ts'
import { aSchedule } from '#test/support/schedules.ts'

const minute = 60_000
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
      schedule: { counts: { missed: 2 }, nextAt: 4 * minute },
    })
    expect(at(aSchedule({ timing: { at: minute } }), 10 * minute)).toMatchObject({
      schedule: { state: 'ENDED', counts: { missed: 1 } },
    })
    expect(at(aSchedule({ catchUpSeconds: 0 }), minute).start).toBe(minute)
  })

  it('counts every time that it missed, in time or not, up to a thousand at once', () => {
    const hour = at(aSchedule(), 60 * minute + 1000)
    expect(hour).toMatchObject({ start: 60 * minute, schedule: { counts: { missed: 59 } } })
    const daily = aSchedule({ timing: { rate: { everySeconds: 86_400, from: 0 } }, catchUpSeconds: 3600 })
    expect(at(daily, 5 * 86_400_000 + 2 * 3_600_000)).toMatchObject({ schedule: { counts: { missed: 5 } } })
    const seconds = aSchedule({ timing: { rate: { everySeconds: 1, from: 0 } } })
    const late = at(seconds, 86_400_000)
    expect(late).toMatchObject({ start: 86_400_000, schedule: { counts: { missed: 999 }, nextAt: 86_401_000 } })
  })

  it('asks its calendar for few times when few have come: each one costs', () => {
    const asked: number[] = []
    const counting: typeof times = (timing, after, count) => {
      asked.push(count)
      return times(timing, after, count)
    }
    const cron = aSchedule({ timing: { cron: { expression: '* * * * * *', timeZone: 'UTC' } } })
    expect(decide(cron, { now: 1200, busy: false, times: counting }).start).toBe(1000)
    expect(asked.reduce((sum, count) => sum + count, 0)).toBeLessThan(10)
  })

  it('is not missed by a look that comes a minute late', () => {
    expect(at(aSchedule({ catchUpSeconds: 0, timing: { at: minute } }), 2 * minute).start).toBe(minute)
    expect(at(aSchedule({ catchUpSeconds: 0, timing: { at: minute } }), 3 * minute).start).toBeUndefined()
  })

  it('accounts for every time once, whenever it is looked at and whatever runs', () => {
    const looks = fc.array(fc.record({ pause: fc.integer({ min: 1, max: 400_000 }), busy: fc.boolean() }), {
      minLength: 1,
      maxLength: 30,
    })
    const overlap = fc.constantFrom<Schedule['overlap']>('skip', 'queue', 'cancel-previous')
    fc.assert(
      fc.property(looks, overlap, fc.integer({ min: 0, max: 300 }), (pauses, policy, catchUpSeconds) => {
        let schedule = aSchedule({ overlap: policy, catchUpSeconds, lastTask: 'tsk_0' })
        let now = 0
        const starts: number[] = []
        for (const { pause, busy } of pauses) {
          now += pause
          const decision = at(schedule, now, busy)
          schedule = decision.schedule
          if (decision.start !== undefined) {
            starts.push(decision.start)
            schedule = settle(begin(schedule, decision.start, now), { at: decision.start, outcome: 'STARTED' }, now)
          }
          const { counts, waitingFor, nextAt = 0, dueAt = 0 } = schedule
          const told = counts.started + counts.skipped + counts.missed + (waitingFor === undefined ? 0 : 1)
          expect(told).toBe(Math.floor(now / minute))
          expect(nextAt).toBe((told + 1) * minute)
          expect(dueAt).toBeGreaterThan(now)
        }
        expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b))
      }),
    )
  })

  it('is looked at again at once while the task of a start may not be there yet, even at its end', () => {
    const ended = at(aSchedule({ timing: { at: minute } }), minute).schedule
    const begun = begin(ended, minute, minute)
    expect(begun).toMatchObject({ state: 'ENDED', starting: minute, dueAt: minute })
    const settled = settle(begun, { at: minute, outcome: 'STARTED', task: 'tsk_1' }, minute)
    expect(settled).toMatchObject({ state: 'ENDED', lastTask: 'tsk_1', counts: { started: 1 } })
    expect([settled.starting, settled.dueAt]).toEqual([undefined, undefined])
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

  it('makes a start that waits also while it is paused, and stays so', () => {
    const lastTask = 'tsk_1'
    for (const overlap of ['skip', 'queue', 'cancel-previous'] as const) {
      const paused = { ...aSchedule({ overlap, lastTask, state: 'PAUSED' }), waitingFor: minute }
      const free = { start: minute, schedule: { state: 'PAUSED', waitingFor: undefined, dueAt: undefined } }
      expect(at(paused, 9 * minute)).toMatchObject(free)
    }
    const paused = { ...aSchedule({ overlap: 'queue', lastTask, state: 'PAUSED' }), waitingFor: minute }
    const held = { state: 'PAUSED', waitingFor: minute, dueAt: 10 * minute, counts: { skipped: 0, missed: 0 } }
    const busy = at(paused, 9 * minute, true)
    expect([busy.start, busy]).toMatchObject([undefined, { schedule: held }])
  })

  it('does nothing while it is paused, and keeps how starts went', () => {
    expect(at(aSchedule({ state: 'PAUSED' }), 9 * minute).start).toBeUndefined()
    const started = record(aSchedule(), { at: minute, task: 'tsk_2', outcome: 'STARTED' })
    const refused = record(started, { at: 2 * minute, outcome: 'REFUSED', message: 'no' })
    expect(refused).toMatchObject({ lastTask: 'tsk_2', counts: { started: 1, refused: 1 }, last: { message: 'no' } })
  })
})
