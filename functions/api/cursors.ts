import type { Operation } from '#shared/contracts/operations.ts'
import { invalid } from '#shared/domain/domain-error.ts'
import { digest } from '#shared/domain/ids.ts'
import type { Reply } from './operation.ts'

type Query = Record<string, string>

/** Parameters that say which part of a list is shown; all others say which list it is. */
const paging = ['limit', 'cursor', 'after']

/** What a client asked of a list, as it wrote it; `undefined`: the operation is no list that can be filtered. */
const filterOf = ({ query: schema }: Operation, query: Query): Query | undefined => {
  const names = schema && 'shape' in schema ? Object.keys(schema.shape as object) : []
  if (!names.includes('cursor') || names.every((name) => paging.includes(name))) return undefined
  return Object.fromEntries(Object.entries(query).filter(([name]) => !paging.includes(name)))
}

const sealOf = (filter: Query): string => digest(filter).slice(0, 8)

const describe = (filter: Query): string => new URLSearchParams(filter).toString() || 'no filter'

/** The query with the cursor that the table gave; one that came with another filter is `INVALID`. */
export const openCursor = (operation: Operation, query: Query): Query => {
  const filter = filterOf(operation, query)
  if (filter === undefined || query.cursor === undefined) return query
  const [, seal, cursor] = /^([0-9a-f]{8})\.(.+)$/.exec(query.cursor) ?? []
  if (cursor === undefined) throw invalid('#/query/cursor', 'INVALID', 'the cursor is not one of this list')
  if (seal === sealOf(filter)) return { ...query, cursor }
  const message = `the cursor came with another filter than this one (${describe(filter)}); repeat that one, or begin without a cursor`
  throw invalid('#/query/cursor', 'OTHER_FILTER', message)
}

type Page = { nextCursor: string | null }

/** A page whose cursor goes on with the filter that it was asked with, and with no other. */
export const sealCursor = (operation: Operation, query: Query, reply: Reply | Response): Reply | Response => {
  if (reply instanceof Response) return reply
  const filter = filterOf(operation, query)
  const { nextCursor } = (reply.body ?? {}) as Partial<Page>
  if (filter === undefined || typeof nextCursor !== 'string') return reply
  return { ...reply, body: { ...(reply.body as Page), nextCursor: `${sealOf(filter)}.${nextCursor}` } }
}
