/** Refusals of the domain, by name. Each edge owns its own numbers for them. */
export const domainErrorCodes = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'INVALID',
  'CONFLICT',
  'CONTENDED',
  'NAME_TAKEN',
  'IDEMPOTENCY_CONFLICT',
  'STALE_FENCE',
  'ALREADY_FINISHED',
  'NOT_FINISHED',
  'PRECONDITION_FAILED',
  'TOO_LARGE',
  'TREE_LIMIT',
  'RATE_LIMITED',
  'BUDGET',
  'NOT_WAITING',
  'ALREADY_DECIDED',
  'ALREADY_ANSWERED',
  'INPUT_ENDED',
  'INPUT_FULL',
  'HOP_LIMIT',
  'MAILBOX_FULL',
  'STALE_RECEIPT',
] as const
export type DomainErrorCode = (typeof domainErrorCodes)[number]

/** `pointer` is `#/input/x` for a body, `#/query/x` for a query. */
export type FieldError = { pointer: string; code: string; message: string }

/** A refusal: the request was understood and must not happen. */
export class DomainError extends Error {
  readonly code: DomainErrorCode
  readonly errors: FieldError[] | undefined

  constructor(code: DomainErrorCode, message: string, errors?: FieldError[]) {
    super(message)
    this.name = 'DomainError'
    this.code = code
    this.errors = errors
  }
}

/** What a pure move answers instead of the next state. */
export type Refused = { refused: DomainErrorCode; message: string }
export const refuse = (refused: DomainErrorCode, message: string): Refused => ({ refused, message })
export const isRefused = (value: object): value is Refused => 'refused' in value

/** Turns a refusal into its error, and passes everything else through. */
export const orThrow = <T extends object>(value: T | Refused): T => {
  if (isRefused(value)) throw new DomainError(value.refused, value.message)
  return value
}

export const invalid = (pointer: string, code: string, message: string): DomainError =>
  new DomainError('INVALID', message, [{ pointer, code, message }])

/** A refusal with the fields that it is about as one sentence, which says nothing twice. */
export const sentenceOfRefusal = ({ message, errors = [] }: DomainError): string => {
  const isField = (one: FieldError): boolean => [one.message, fieldOf(one)].includes(message)
  const told = errors.filter((one) => isField(one) || !message.includes(one.message))
  const fields = told.map(fieldOf).join('; ')
  return [told.some(isField) ? '' : message, fields].filter(Boolean).join(': ')
}

const fieldOf = ({ pointer, message }: FieldError): string => `${pointer}: ${message}`
