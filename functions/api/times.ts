import { Cron } from 'croner'
import type { Times, Timing } from '#shared/domain/schedules/schedule.ts'

/** Five fields, six, or a name for them such as `@daily`. A date by itself, which croner takes as well, is none. */
const hasFields = (expression: string): boolean => /^(@\w+|\S+(\s+\S+){4,5})$/.test(expression.trim())

const cronOf = ({ expression, timeZone }: { expression: string; timeZone: string }): Cron => {
  if (!hasFields(expression)) throw new Error('it has not five fields, or six')
  return new Cron(expression, { timezone: timeZone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard', paused: true })
}

/**
 * When a schedule starts. A cron time that the clocks skip comes at the end of the gap, one that they repeat comes once; an
 * expression with `*` or a step in its seconds, minutes or hours comes whenever the clocks show one of its times.
 */
export const times: Times = (timing, after, count) => {
  if ('at' in timing) return timing.at > after ? [timing.at] : []
  if ('cron' in timing)
    return cronOf(timing.cron)
      .nextRuns(count, new Date(after))
      .map((time) => time.getTime())
  const { everySeconds, from } = timing.rate
  const every = everySeconds * 1000
  const first = Math.max(1, Math.floor((after - from) / every) + 1)
  return Array.from({ length: count }, (_, n) => from + (first + n) * every)
}

/** Why a timing cannot be used: the field and what would be right; `undefined` when it can. */
export const timingProblem = (timing: Timing, now: number): { pointer: string; message: string } | undefined => {
  if ('at' in timing)
    return timing.at > now ? undefined : { pointer: '#/at', message: 'the time is over; give one in the future' }
  if ('rate' in timing) return undefined
  const { expression, timeZone } = timing.cron
  if (!isTimeZone(timeZone))
    return {
      pointer: '#/cron/timeZone',
      message: `there is no time zone ${timeZone}; give an IANA name such as Europe/Berlin`,
    }
  try {
    if (cronOf(timing.cron).nextRun()) return undefined
    return { pointer: '#/cron/expression', message: `${expression} never comes` }
  } catch (error) {
    const problem = (error as Error).message.replace(/^CronPattern: /, '').replace(/\.$/, '')
    const message = `${expression} is no cron expression (${problem}); give five or six fields such as "0 9 * * 1-5"`
    return { pointer: '#/cron/expression', message }
  }
}

/** An IANA name, in any case; offsets such as `+05:00`, which know no summer, are none. */
const isTimeZone = (timeZone: string): boolean => {
  if (!/^[a-z]/i.test(timeZone)) return false
  try {
    return Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
