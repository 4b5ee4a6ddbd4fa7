import { DomainError } from './domain-error.ts'
import { sentKey } from './made-key.ts'

/** Digests of what was asked for under a key, and of what is asked for now. */
type Wishes = { before: string | undefined; now: string }

const usedFor = (made: string, key: string | undefined): string =>
  `the idempotency key ${key && sentKey(key)} was used for ${made}`

/** Refuses another wish under an idempotency key that has made something; `made` says what, such as `task tsk_1`. */
export const requireSame = (made: string, key: string | undefined, { before, now }: Wishes): void => {
  if (before === now) return
  throw new DomainError('IDEMPOTENCY_CONFLICT', `${usedFor(made, key)} with another body; use a new key for a new one`)
}

/** Refuses an idempotency key whose work was deleted since: it makes nothing a second time. */
export const requireKept = (made: string, key: string | undefined, isDeleted: boolean): void => {
  if (!isDeleted) return
  throw new DomainError(
    'IDEMPOTENCY_CONFLICT',
    `${usedFor(made, key)}, which has been deleted; use a new key for a new one`,
  )
}
