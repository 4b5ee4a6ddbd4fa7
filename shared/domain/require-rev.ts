import type { Stored } from '../platform/platform.ts'
import { DomainError } from './domain-error.ts'

/** The revs that a caller takes for the current one; `undefined` where that does not matter. */
export type IfMatch = readonly string[]

/** The refusal of a change to what is at another rev than the caller takes it to be. */
export const notAt = (what: string, rev: string, ifMatch: IfMatch): DomainError => {
  const wanted = ifMatch.map((one) => one || 'nothing').join(' or ') || 'what a weak tag names'
  return new DomainError('PRECONDITION_FAILED', `${what} is at ${rev}, not at ${wanted}; read it again`)
}

/** Refuses to change what is not as the caller saw it any more. */
export const requireRev = (what: string, { rev }: Pick<Stored, 'rev'>, ifMatch: IfMatch | undefined): void => {
  if (ifMatch !== undefined && !ifMatch.includes(rev)) throw notAt(what, rev, ifMatch)
}
