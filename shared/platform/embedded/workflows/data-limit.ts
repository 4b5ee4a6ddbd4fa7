import type { Json } from './asl.ts'
import { exceeds } from './jsonata-bounds.ts'
import { StatesError } from './states-error.ts'

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const maxDataBytes = 256 * 1024

/** Whether a value has more bytes as JSON than can go from state to state. */
export const isTooLarge = (value: unknown): boolean =>
  exceeds(value, maxDataBytes / 4) &&
  (exceeds(value, maxDataBytes * 2) || Buffer.byteLength(JSON.stringify(value)) > maxDataBytes)

/** The value, unless it is too large. */
export const limited = <T extends Json>(value: T, what: string): T => {
  if (isTooLarge(value))
    throw new StatesError('States.DataLimitExceeded', `${what} has more than ${maxDataBytes} bytes as JSON`)
  return value
}
