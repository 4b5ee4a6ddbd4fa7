/** Failures are rows: `retryable` decides for whoever consumes them. */
export const platformErrors = {
  UNAVAILABLE: { retryable: true },
  THROTTLED: { retryable: true },
  TOO_LARGE: { retryable: false },
  CORRUPT: { retryable: false },
  UNSUPPORTED: { retryable: false },
  INVALID: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>

export type PlatformErrorCode = keyof typeof platformErrors

/** What is wrong with a call is told as it is; of what went wrong here, no more than of which kind it is. */
export const sentenceOf = ({ code, message }: PlatformError): string =>
  code === 'TOO_LARGE' || code === 'INVALID' ? message : `the platform is ${code.toLowerCase()}; try again`

/** The one error that adapters throw. */
export class PlatformError extends Error {
  readonly code: PlatformErrorCode
  readonly retryable: boolean

  constructor(code: PlatformErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'PlatformError'
    this.code = code
    this.retryable = platformErrors[code].retryable
  }
}

/** Whether a call is refused however often it is repeated. */
export const isForGood = (error: unknown): error is PlatformError => error instanceof PlatformError && !error.retryable
