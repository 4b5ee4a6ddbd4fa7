import { times } from '#functions/api/times.ts'
import { planNext, type Schedule } from '#shared/domain/schedules/schedule.ts'

/** A schedule of each minute since 0, as it is planned at 0, with whatever matters to the test changed. */
export const aSchedule = (change: Partial<Schedule> = {}): Schedule => {
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
