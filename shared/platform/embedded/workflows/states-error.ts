import type { RunFailure } from '../../platform.ts'

/** A failure of a state, under a name that `Retry` and `Catch` can match. */
export class StatesError extends Error {
  readonly failure: Required<RunFailure>

  constructor(error: string, cause: string) {
    super(`${error}: ${cause}`)
    this.name = 'StatesError'
    this.failure = { error, cause }
  }
}

/** Nothing but their own names matches these: no wildcard does. */
const unmatched = ['States.DataLimitExceeded', 'States.Runtime']
const timeouts = ['States.Timeout', 'States.HeartbeatTimeout']

const matchesOne = (name: string, error: string): boolean => {
  if (name === error) return true
  if (unmatched.includes(error)) return false
  if (name === 'States.ALL') return true
  if (name === 'States.TaskFailed') return !timeouts.includes(error)
  return name === 'States.Timeout' && timeouts.includes(error)
}

/**
 * Whether an `ErrorEquals` names an error.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-error-representation
 */
export const matches = (errorEquals: readonly string[], error = ''): boolean =>
  errorEquals.some((name) => matchesOne(name, error))
