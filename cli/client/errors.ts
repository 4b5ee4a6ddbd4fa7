import type { Problem } from '#shared/contracts/common.ts'
import { CliError, exitCodes } from '../failure.ts'

type Field = NonNullable<Problem['errors']>[number]

/** A refusal by the API. https://www.rfc-editor.org/rfc/rfc9457 */
export class ApiError extends CliError {
  readonly status: number
  readonly code: string
  readonly errors: readonly Field[]
  /** Seconds that the server wants to be left alone. */
  readonly retryAfter: number | undefined

  constructor(message: string, told: { status: number; code: string; errors: readonly Field[]; retryAfter?: number }) {
    super(message, exitCodeOf(told.status))
    this.name = 'ApiError'
    this.status = told.status
    this.code = told.code
    this.errors = told.errors
    this.retryAfter = told.retryAfter
  }
}

/** No answer came, or only part of one. */
export class UnreachableError extends CliError {
  /** The request never left: nothing can have happened. */
  readonly refused: boolean

  constructor(message: string, { refused = false, cause }: { refused?: boolean; cause?: unknown } = {}) {
    super(message, exitCodes.unreachable, { cause })
    this.name = 'UnreachableError'
    this.refused = refused
  }
}

const exitCodeOf = (status: number): number => {
  if (status === 401 || status === 403) return exitCodes.notAuthenticated
  if (status === 404) return exitCodes.notFound
  if (status >= 502 && status <= 504) return exitCodes.unreachable
  return status === 400 || status === 422 ? exitCodes.usage : exitCodes.failed
}

/** A refusal as an error; one that is no problem document comes from a gateway, or from another kind of server. */
export const toApiError = async (response: Response, url: string): Promise<ApiError> => {
  const told = (await response.json().catch(() => undefined)) as Partial<Problem & { message: string }> | undefined
  const { status } = response
  const code = told?.code ?? String(status)
  const errors = told?.errors ?? []
  const detail = told?.detail ?? `${url} answered ${told?.message ?? (response.statusText || 'without a reason')}`
  const untold = errors
    .filter(({ pointer, message }) => !detail.includes(errors.length > 1 ? `${pointer}: ${message}` : message))
    .map(({ pointer, message }) => `\n  ${pointer}: ${message}`)
  const hint = status === 401 ? '; give a key with --api-key or DEVCYCLE_API_KEY' : ''
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new ApiError(`${detail}${hint} (${code})${untold.join('')}`, {
    status,
    code,
    errors,
    ...(Number.isFinite(retryAfter) && { retryAfter }),
  })
}

const reasons: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'timed out',
  UND_ERR_CONNECT_TIMEOUT: 'timed out',
  UND_ERR_HEADERS_TIMEOUT: 'timed out',
  UND_ERR_SOCKET: 'connection closed',
}
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND'])

/** What `fetch` threw, as a sentence. */
export const toUnreachable = (error: unknown, url: string, hint = ''): UnreachableError => {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  const timedOut = error instanceof DOMException && error.name === 'TimeoutError'
  const reason = timedOut ? 'timed out' : (reasons[cause?.code ?? ''] ?? cause?.message ?? String(error))
  return new UnreachableError(`no answer from ${url} (${reason})${hint && `; ${hint}`}`, {
    refused: neverSent.has(cause?.code ?? ''),
    cause: error,
  })
}
