import type { Failure, Visit } from './visits.ts'

type Retrier = {
  ErrorEquals: string[]
  MaxAttempts: number
  IntervalSeconds: number
  MaxDelaySeconds: number
  BackoffRate: number
}
/** What of a compiled state tells until when it waits. */
type State = { Seconds?: number; Timestamp?: string; Retry?: Retrier[] }
export type States = ReadonlyMap<string, State>

const entriesOf = (part: unknown): [string, State][] => {
  if (part === null || typeof part !== 'object') return []
  const own = 'States' in part && part.States !== null ? Object.entries(part.States as Record<string, State>) : []
  return [...own, ...Object.values(part).flatMap(entriesOf)]
}

/** Every state of a machine by its name, those of branches and items too. */
export const statesOf = (machine: unknown): States => new Map(entriesOf(machine))

/** Until when a state waits; the expression that says so, where the machine alone knows. */
export const waitOf = (states: States, { state, enteredAt }: Visit): { until?: number; when?: string } => {
  const { Seconds, Timestamp } = states.get(state) ?? {}
  if (Seconds !== undefined) return { until: enteredAt + Seconds * 1000 }
  const at = Date.parse(Timestamp ?? '')
  return Number.isNaN(at) ? { when: Timestamp } : { until: at }
}

const wildcards: Record<string, (error: string) => boolean> = {
  'States.ALL': () => true,
  'States.TaskFailed': (error) => error !== 'States.Timeout',
}
const matches = ({ ErrorEquals }: Retrier, { error = '' }: Failure): boolean =>
  ErrorEquals.some((name) => name === error || wildcards[name]?.(error))

/** When a state that has failed is tried again at the latest, since pauses are random, and which of how many tries that is. */
export const nextTry = (states: States, { state, failures }: Visit) => {
  const last = failures.at(-1)
  const retriers = states.get(state)?.Retry ?? []
  const retrier = last && retriers.find((one) => matches(one, last))
  if (last === undefined || retrier === undefined) return undefined
  const same = failures.filter((one) => retriers.find((other) => matches(other, one)) === retrier).length
  const { MaxAttempts, IntervalSeconds, MaxDelaySeconds, BackoffRate } = retrier
  if (same > MaxAttempts) return undefined
  const seconds = Math.min(IntervalSeconds * BackoffRate ** (same - 1), MaxDelaySeconds)
  return {
    until: last.at + seconds * 1000,
    attempt: failures.length + 1,
    attempts: failures.length - same + MaxAttempts + 1,
  }
}
