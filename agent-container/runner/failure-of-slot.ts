import { wordsOf } from './crash-words.ts'
import type { Excess } from './resources/watch.ts'
import type { SlotEnd } from './slot.ts'
import type { FromSlot } from './slot-messages.ts'

export type Failure = Extract<FromSlot, { type: 'failed' }>

/** The attempt ran into its time-out. */
export const tookTooLong = (seconds: number): Failure => ({
  type: 'failed',
  code: 'TIMEOUT',
  message: `the attempt ran longer than ${seconds} s`,
  retryable: true,
})

/** Its process ended before the handler said how the attempt did. */
export const crashed = ({ code, signal, stderr, excess }: SlotEnd): Failure => {
  if (excess !== undefined) return tookTooMuch(excess)
  const words = wordsOf(stderr)
  const how = signal ? `was killed by ${signal}` : `ended with exit code ${code}`
  return {
    type: 'failed',
    code: 'CRASH',
    message: `the task's process ${how}${words ? `: ${words}` : ''}`,
    retryable: true,
  }
}

/** Another attempt would need as much. */
const tookTooMuch = ({ resource, used, limit, unit }: Excess): Failure => ({
  type: 'failed',
  code: 'RESOURCE_LIMIT',
  message: `the task used ${used}${unit && ` ${unit}`} of ${resource}, more than the ${limit}${unit && ` ${unit}`} of its agent's resources`,
  retryable: false,
})
