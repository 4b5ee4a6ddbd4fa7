import type { Problem } from '#shared/contracts/common.ts'
import { refusalStatus } from '#shared/contracts/refusals.ts'
import { DomainError, type DomainErrorCode } from '#shared/domain/domain-error.ts'
import { RateLimitedError } from '#shared/domain/limits/submit-rate.ts'
import { PlatformError, type PlatformErrorCode, sentenceOf } from '#shared/platform/platform-error.ts'
import { rateHeaders } from './rate-limit.ts'

/** Refusals that only HTTP knows. */
const httpCodes = {
  MALFORMED_JSON: 400,
  MALFORMED_REQUEST: 400,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  WRONG_HOST: 421,
  HEADERS_TOO_LARGE: 431,
  WRONG_ORIGIN: 403,
  INTERNAL: 500,
} as const
export type HttpErrorCode = keyof typeof httpCodes

const domainStatus: Record<DomainErrorCode, number> = refusalStatus

const platformStatus: Record<PlatformErrorCode, number> = {
  UNAVAILABLE: 503,
  THROTTLED: 429,
  TOO_LARGE: 413,
  CORRUPT: 500,
  UNSUPPORTED: 501,
  INVALID: 422,
}

const titles: Record<number, string> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Too large',
  415: 'Unsupported media type',
  421: 'Misdirected request',
  422: 'Invalid',
  429: 'Too many requests',
  431: 'Headers too large',
  500: 'Internal error',
  501: 'Not supported here',
  503: 'Unavailable',
}

/** A refusal that only the HTTP edge knows. */
export class HttpError extends Error {
  readonly code: HttpErrorCode
  readonly headers: Record<string, string>

  constructor(code: HttpErrorCode, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.name = 'HttpError'
    this.code = code
    this.headers = headers
  }
}

/** The refusal of a path that is not there. */
export const nothingAt = (method: string, path: string): DomainError =>
  new DomainError('NOT_FOUND', `there is nothing at ${method} ${path}`)

type Described = Pick<Problem, 'status' | 'code' | 'detail' | 'errors'> & { headers?: Record<string, string> }

/** What a caller is told of an error: its status, code and sentence; of an unknown one no more than that it is one. */
export const describeError = (error: unknown): Described => {
  if (error instanceof DomainError) return describeRefusal(error)
  if (error instanceof HttpError)
    return { status: httpCodes[error.code], code: error.code, detail: error.message, headers: error.headers }
  if (error instanceof PlatformError) return describePlatform(error)
  return { status: 500, code: 'INTERNAL', detail: 'internal error; the server log has it under this request id' }
}

/** The same request may go through a moment later. */
const comesAgain = [429, 503]

const describeRefusal = (error: DomainError): Described => {
  const { code, message, errors } = error
  const status = domainStatus[code]
  if (error instanceof RateLimitedError) return { status, code, detail: message, headers: retryHeaders(error) }
  return {
    status,
    code,
    detail: message,
    errors,
    ...(comesAgain.includes(status) && { headers: { 'retry-after': '1' } }),
  }
}

const retryHeaders = ({ state, retryAfterSeconds }: RateLimitedError): Record<string, string> => ({
  'retry-after': String(retryAfterSeconds),
  ...rateHeaders(state),
})

const describePlatform = (error: PlatformError): Described => {
  const detail = sentenceOf(error)
  if (error.code === 'INVALID') {
    const pointer = /cursor/.test(detail) ? '#/query/cursor' : '#'
    return { status: 422, code: 'INVALID', detail, errors: [{ pointer, code: 'INVALID', message: detail }] }
  }
  const headers: Record<string, string> = error.retryable ? { 'retry-after': '1' } : {}
  return { status: platformStatus[error.code], code: error.code, detail, headers }
}

/** Any error as RFC 9457 problem details; unknown ones say "internal error" and nothing else. */
export const toProblem = (error: unknown, requestId: string): { response: Response; status: number } => {
  const { status, code, detail, errors, headers } = describeError(error)
  const type = `urn:devcycle:problem:${code.toLowerCase().replaceAll('_', '-')}`
  const problem: Problem = { type, title: titles[status] ?? 'Error', status, detail, code, errors, requestId }
  const challenge: Record<string, string> = status === 401 ? { 'www-authenticate': 'Bearer realm="devcycle"' } : {}
  const response = new Response(JSON.stringify(problem), {
    status,
    headers: { 'content-type': 'application/problem+json', 'x-request-id': requestId, ...challenge, ...headers },
  })
  return { response, status }
}
