import { type Operation, operations } from '#shared/contracts/operations.ts'
import { type RefusalCode, refusalsOf } from '#shared/contracts/refusals.ts'

const toPattern = ({ path }: Operation): RegExp =>
  new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`)

const rows = (Object.entries(operations) as [string, Operation][]).map(([id, operation]) => ({
  id,
  operation,
  pattern: toPattern(operation),
  refusals: new Set<string>(refusalsOf(operation) satisfies RefusalCode[]),
}))

/** Throws when an operation answers what its contract does not say. */
export const requireDocumented = (method: string, path: string, status: number, body: unknown): void => {
  const [bare = ''] = path.split('?')
  const row = rows.find(({ operation, pattern }) => operation.method === method && pattern.test(bare))
  if (row === undefined) return
  const { code } = (status >= 400 ? body : {}) as { code?: string }
  if (code === undefined ? status in row.operation.answers : row.refusals.has(code)) return
  throw new Error(`${row.id} answered ${status} ${code ?? ''}, which its contract does not say`)
}
