import { PlatformError } from '../platform-error.ts'

const throttles = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'Throttling',
  'ThrottledException',
  'RequestThrottled',
  'SlowDown',
])

type AwsError = Error & { $metadata?: { httpStatusCode?: number }; $retryable?: unknown }

const isPassing = ({ name, $metadata, $retryable }: AwsError): boolean =>
  ($metadata?.httpStatusCode ?? 500) >= 500 ||
  $retryable !== undefined ||
  name === 'TimeoutError' ||
  name === 'TransactionInProgressException'

/** An SDK's error as one of the platform's, when it is one that callers can do something about. */
export const toPlatformError = (error: unknown, what: string): unknown => {
  if (error instanceof PlatformError || !(error instanceof Error)) return error
  if (throttles.has(error.name)) return new PlatformError('THROTTLED', `${what} is throttled`, { cause: error })
  if (error.name === 'AbortError') return error
  if (isPassing(error))
    return new PlatformError('UNAVAILABLE', `${what} did not work: ${error.name}: ${error.message}`, { cause: error })
  return error
}

/** Runs a call and translates its failure. */
export const translated = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    throw toPlatformError(error, what)
  }
}
