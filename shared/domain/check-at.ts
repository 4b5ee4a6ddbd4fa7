import { DomainError, type DomainErrorCode } from './domain-error.ts'

/** Where in what was sent something stands, and the field of it that names what may not be there. */
export type Place = { at: string; names?: string }

/** What is refused for what a field names, and not for anything else. */
const isOfNamed: DomainErrorCode[] = ['NOT_FOUND', 'CONFLICT']

/** Checks a part of what was sent: each field that is refused is told by its place in the whole. */
export const checkAt = async <T>({ at, names }: Place, check: () => T | Promise<T>): Promise<T> => {
  try {
    return await check()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    const { code, message } = error
    const named =
      names !== undefined && isOfNamed.includes(code) ? [{ pointer: `#/${names}`, code, message }] : undefined
    const errors = error.errors ?? named
    if (errors === undefined) throw error
    const placed = errors.map((one) => ({ ...one, pointer: one.pointer.replace(/^#/, at) }))
    throw new DomainError(code, message, placed)
  }
}
