import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry'
import { PlatformError } from '../platform-error.ts'

type SdkError = Parameters<typeof isThrottlingError>[0]

/** An SDK's error as one of the platform's, when it is one that a repetition can help; any other stays what it is. */
export const toPlatformError = (cause: unknown, what: string): unknown => {
  if (cause instanceof PlatformError || !(cause instanceof Error)) return cause
  const error = cause as SdkError
  if (isThrottlingError(error)) return new PlatformError('THROTTLED', `${what} is throttled`, { cause })
  if (isTransientError(error) || isServerError(error))
    return new PlatformError('UNAVAILABLE', `${what} did not work: ${error.name}: ${error.message}`, { cause })
  return cause
}

/** Whether an error is one of those that AWS calls so. */
export const isNamed = (error: unknown, ...names: string[]): boolean => names.includes((error as Error).name)

/** Runs a call and translates its failure. */
export const translated = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    throw toPlatformError(error, what)
  }
}
