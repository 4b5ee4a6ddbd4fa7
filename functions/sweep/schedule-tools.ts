import { checkInput } from '#functions/api/check-input.ts'
import { times } from '#functions/api/times.ts'
import type { ScheduleTools } from '#shared/domain/schedules/attend-schedule.ts'

/** What schedules need from outside of the domain. */
export const scheduleTools: ScheduleTools = { times, checkInput }
