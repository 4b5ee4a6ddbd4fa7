import type { Operation } from './operations/operation.ts'

/** The status of each refusal. */
export const refusalStatus = {
  MALFORMED_JSON: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  NAME_TAKEN: 409,
  IDEMPOTENCY_CONFLICT: 409,
  STALE_FENCE: 409,
  ALREADY_FINISHED: 409,
  NOT_FINISHED: 409,
  TREE_LIMIT: 409,
  BUDGET: 409,
  NOT_WAITING: 409,
  ALREADY_DECIDED: 409,
  ALREADY_ANSWERED: 409,
  INPUT_ENDED: 409,
  HOP_LIMIT: 409,
  STALE_RECEIPT: 409,
  PRECONDITION_FAILED: 412,
  PAYLOAD_TOO_LARGE: 413,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  INVALID: 422,
  RATE_LIMITED: 429,
  INPUT_FULL: 429,
  MAILBOX_FULL: 429,
  THROTTLED: 429,
  INTERNAL: 500,
  CONTENDED: 503,
  UNAVAILABLE: 503,
} as const
export type RefusalCode = keyof typeof refusalStatus

/** What a task that is new may be refused for, whoever submits it. */
export const refusalsOfNewTasks: RefusalCode[] = [
  'NOT_FOUND',
  'CONFLICT',
  'IDEMPOTENCY_CONFLICT',
  'ALREADY_FINISHED',
  'STALE_FENCE',
  'TREE_LIMIT',
  'BUDGET',
]

/** What may happen to every call. */
const always: RefusalCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'THROTTLED', 'INTERNAL', 'UNAVAILABLE']
const ofBodies: RefusalCode[] = ['MALFORMED_JSON', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'INVALID']

/** Every refusal that an operation can answer, by its shape and its own. */
export const refusalsOf = (operation: Operation): RefusalCode[] => {
  const { method, path, raw, headers, refusals = [] } = operation
  const all: RefusalCode[] = [
    ...always,
    ...(path.includes('{') ? (['NOT_FOUND'] as const) : []),
    ...(method === 'POST' || method === 'PATCH' || method === 'PUT' ? ofBodies : []),
    ...(raw ? [] : (['INVALID'] as const)),
    ...(method === 'GET' ? [] : (['CONTENDED'] as const)),
    ...(headers?.includes('If-Match') ? (['PRECONDITION_FAILED'] as const) : []),
    ...refusals,
  ]
  return [...new Set(all)]
}
