import { invalid } from '#shared/domain/domain-error.ts'

type Paging = { limit: number; cursor?: string }

/** A page of a list that is had whole; its cursor names the last one shown, by what tells it from the others. */
export const pageOf = <T>(
  all: T[],
  { limit, cursor }: Paging,
  nameOf: (one: T) => string,
): { items: T[]; nextCursor: string | null } => {
  const cursorOf = (one: T): string => Buffer.from(nameOf(one)).toString('base64url')
  const last = cursor === undefined ? -1 : all.findIndex((one) => cursorOf(one) === cursor)
  if (cursor !== undefined && last === -1)
    throw invalid('#/query/cursor', 'INVALID', 'the cursor is not one of this list')
  const items = all.slice(last + 1, last + 1 + limit)
  const end = items.at(-1)
  return { items, nextCursor: end !== undefined && end !== all.at(-1) ? cursorOf(end) : null }
}
