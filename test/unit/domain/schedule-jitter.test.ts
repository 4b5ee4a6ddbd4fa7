import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { times } from '#functions/api/times.ts'
import { requireRoom, startOf } from '#shared/domain/schedules/jitter.ts'
import { runNow } from '#shared/domain/schedules/run-now.ts'
import { decide, type Schedule } from '#shared/domain/schedules/schedule.ts'
import { aSchedule } from '#test/support/schedules.ts'

const minute = 60_000
const aJittered = (change: Partial<Schedule> = {}): Schedule => aSchedule({ jitterSeconds: 30, ...change })

describe('jitter', () => {
  it('is below its bound, and the same for one time of one schedule', () => {
    const id = fc.string({ minLength: 1 })
    fc.assert(
      fc.property(id, fc.integer({ min: 0, max: 3600 }), fc.nat(2e12), (schedule, jitterSeconds, time) => {
        const late = startOf({ id: schedule, jitterSeconds }, time) - time
        expect(startOf({ id: schedule, jitterSeconds }, time) - time).toBe(late)
        expect(late).toBeGreaterThanOrEqual(0)
        expect(late).toBeLessThan(Math.max(1, jitterSeconds * 1000))
      }),
    )
  })

  it('spreads what would start together over the whole of it', () => {
    const quarters = Array.from({ length: 400 }, (_, n) => {
      const late = startOf({ id: `sch_${n}`, jitterSeconds: 60 }, minute) - minute
      return Math.floor(late / 15_000)
    })
    for (const quarter of [0, 1, 2, 3]) expect(quarters.filter((one) => one === quarter).length).toBeGreaterThan(60)
  })

  it('moves the start alone: each time starts once, when it is due and not before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 2, max: 20 }), (jitterSeconds, looks) => {
        let schedule = aJittered({ jitterSeconds })
        for (let n = 1; n <= looks; n++) {
          const due = startOf(schedule, n * minute)
          expect(schedule.dueAt).toBe(due)
          if (due > n * minute) expect(decide(schedule, { now: due - 1, busy: false, times }).start).toBeUndefined()
          const decision = decide(schedule, { now: due, busy: false, times })
          expect(decision.start).toBe(n * minute)
          schedule = decision.schedule
        }
        expect(schedule.counts).toEqual({ started: 0, skipped: 0, missed: 0, refused: 0 })
      }),
    )
  })

  it('may reach to the next time and no further', () => {
    const cron = (expression: string) => ({ cron: { expression, timeZone: 'UTC' } })
    requireRoom(aJittered({ jitterSeconds: 60 }), 0, times)
    requireRoom(aJittered({ timing: { at: minute }, jitterSeconds: 86_400 }), 0, times)
    expect(() => requireRoom(aJittered({ jitterSeconds: 61 }), 0, times)).toThrow('are 60 s apart, give at most that')
    const twice = aJittered({ timing: cron('0,10 9 * * *'), jitterSeconds: 601 })
    expect(() => requireRoom(twice, 0, times)).toThrow('are 600 s apart')
  })
})

describe('a start that somebody asks for', () => {
  const run = (schedule: Schedule, now: number, busy: boolean) => runNow(schedule, { now, busy })

  it('has a time of its own, whatever was or is planned', () => {
    const time = fc.integer({ min: 1, max: 5 })
    const change = fc.record({ nextAt: time, waitingFor: time, last: fc.record({ at: time }) })
    fc.assert(
      fc.property(time, change, (now, { nextAt, waitingFor, last }) => {
        const schedule = { ...aJittered(), nextAt, waitingFor, last: { ...last, outcome: 'STARTED' as const } }
        const { at } = run(schedule, now, false).run
        expect([nextAt, waitingFor, last.at]).not.toContain(at)
        expect(at).toBeGreaterThanOrEqual(Math.max(now, last.at))
      }),
    )
  })

  it('leaves the planned starts where they are', () => {
    for (const overlap of ['skip', 'queue', 'cancel-previous'] as const)
      for (const busy of [true, false])
        expect(run(aJittered({ overlap, lastTask: 'tsk_1' }), 1000, busy).schedule.nextAt).toBe(minute)
  })

  it('is queued in place of one that waits, which is skipped', () => {
    const waiting = { ...aJittered({ overlap: 'queue', lastTask: 'tsk_1' }), waitingFor: 500 }
    expect(run(waiting, 1000, true)).toMatchObject({
      run: { outcome: 'QUEUED' },
      schedule: { waitingFor: 1000, counts: { skipped: 1 } },
    })
  })

  it('is queued by a paused schedule as by an active one', () => {
    const paused = aJittered({ overlap: 'queue', lastTask: 'tsk_1', state: 'PAUSED' })
    const schedule = { state: 'PAUSED', waitingFor: 1000, nextAt: undefined, dueAt: 61_000 }
    expect(run(paused, 1000, true)).toMatchObject({ run: { outcome: 'QUEUED' }, schedule })
    expect(run(paused, 1000, false)).toMatchObject({ schedule: { state: 'PAUSED', starting: 1000 } })
  })
})
