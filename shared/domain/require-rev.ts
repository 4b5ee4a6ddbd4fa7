import type { Stored } from '../platform/platform.ts'
import { DomainError } from './domain-error.ts'

/** Refuses to change what is not as the caller saw it any more; `ifMatch` is the rev that it had then, if that matters. */
export const requireRev = (what: string, { rev }: Pick<Stored, 'rev'>, ifMatch: string | undefined): void => {
  if (ifMatch !== undefined && ifMatch !== rev)
    throw new DomainError('PRECONDITION_FAILED', `${what} is at ${rev}, not at ${ifMatch}; read it again`)
}
