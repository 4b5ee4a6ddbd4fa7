import { type Operation, operations } from '#shared/contracts/operations.ts'

type Found = { operation: string; params: Record<string, string> }

const base = '/api/v2'

/** Paths without parameters go before those with them, as `/tasks:batch` before `/tasks/{task}`. */
const rows = (Object.entries(operations) as [string, Operation][])
  .map(([operation, { method, path }]) => ({
    operation,
    method,
    pattern: new RegExp(`^${base}${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
    variables: path.split('{').length,
  }))
  .sort((a, b) => a.variables - b.variables)

/** The operation of the API that a request asks for, if it is one. */
export const operationOf = (method: string, path: string): Found | undefined => {
  for (const row of rows) {
    const found = row.method === method ? row.pattern.exec(path) : null
    if (found) return { operation: row.operation, params: { ...found.groups } }
  }
  return undefined
}
