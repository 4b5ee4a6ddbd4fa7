import { invalid } from '../domain-error.ts'
import { digest } from '../ids.ts'
import type { Schedule, Times } from './schedule.ts'

type Spread = Pick<Schedule, 'id' | 'jitterSeconds'>

/** When the start of a time is made: up to `jitterSeconds` after it, for the same time always the same. */
export const startOf = ({ id, jitterSeconds = 0 }: Spread, time: number): number => {
  if (jitterSeconds === 0) return time
  const share = Number.parseInt(digest(`${id}:${time}`).slice(0, 8), 16) / 2 ** 32
  return time + Math.floor(share * jitterSeconds * 1000)
}

/** So many times are looked at. */
const looked = 20

/** Refuses a spread that reaches beyond the next time: starts would pile up. */
export const requireRoom = ({ timing, jitterSeconds = 0 }: Schedule, now: number, times: Times): void => {
  if (jitterSeconds === 0) return
  const next = times(timing, now, looked)
  const gaps = next.slice(1).map((time, at) => time - (next[at] ?? time))
  const least = Math.min(...gaps) / 1000
  if (jitterSeconds > least)
    throw invalid(
      '#/jitterSeconds',
      'TOO_LONG',
      `${jitterSeconds} s reach beyond the next start: times of this schedule are ${least} s apart, give at most that`,
    )
}
