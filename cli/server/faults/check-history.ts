/** `npm run check-history -- FILE… [--url U | --data DIR] [--patience SECONDS] [--json]`: is a server's history good? */
import { parseArgs } from 'node:util'
import { idFromKey } from '#shared/domain/ids.ts'
import { connect } from '../../client/connect.ts'
import { checkHistory } from './check/check-history.ts'
import { type Call, columns, type Finding } from './check/history.ts'
import { readFinal } from './check/read-final.ts'
import { readHistory } from './check/read-history.ts'

const usage =
  'usage: npm run check-history -- FILE… [--url URL] [--api-key KEY] [--data DIR] [--patience SECONDS] [--json]'
const tenant = 'default'
const shown = 20

const read = () =>
  parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      'api-key': { type: 'string' },
      data: { type: 'string' },
      patience: { type: 'string', default: '60' },
      json: { type: 'boolean', default: false },
    },
  })

const print = (
  findings: Finding[],
  counts: Record<string, number>,
  read: { calls: Call[]; torn: number; tasks: number },
): void => {
  console.log(
    `${read.calls.length} calls, ${read.tasks} tasks${read.torn > 0 ? `, ${read.torn} torn line${read.torn > 1 ? 's' : ''}` : ''}`,
  )
  const width = Math.max(...columns.map((column) => column.length))
  for (const column of columns) console.log(`${column.padEnd(width)}  ${counts[column]}`)
  for (const { column, message } of findings.slice(0, shown)) console.log(`  ${column}: ${message}`)
  if (findings.length > shown) console.log(`  … ${findings.length - shown} more`)
}

/** The objects that batches are made from, as their calls named them. */
const rowsOfBatches = (calls: Call[]): Map<string, string> =>
  new Map(calls.flatMap(({ rows, answer }) => (rows !== undefined && answer?.batch ? [[answer.batch, rows]] : [])))

const main = async (): Promise<number> => {
  const { values, positionals } = read()
  const patience = Number(values.patience)
  if (positionals.length === 0 || !Number.isInteger(patience) || patience < 0) throw new Error(usage)
  const env = values.data === undefined || values.url !== undefined ? process.env : {} // a folder that is named wins
  const client = connect({
    url: values.url ?? env.DEVCYCLE_URL,
    apiKey: values['api-key'] ?? env.DEVCYCLE_API_KEY,
    data: values.data ?? process.env.DEVCYCLE_DATA,
  })
  const rowsOf = rowsOfBatches(readHistory(positionals).calls)
  const matchTaskOf = (match: string) => idFromKey('tsk', tenant, `match\n${match}`)
  const { tasks, batches, causes } = await readFinal(client, { patienceSeconds: patience, rowsOf, matchTaskOf })
  const { calls, restores, torn } = readHistory(positionals) // with what was asked while others came to rest
  const idOf = ({ key, operation, kind, params }: Call) => {
    if (key === undefined) return undefined
    if (operation === 'retryTask') return idFromKey('tsk', tenant, `retry\n${params.task}\n${key}`)
    return operation === 'submitTask' || kind === 'command' ? idFromKey('tsk', tenant, key) : undefined
  }
  const rowIdOf = (batch: string, row: number) => idFromKey('tsk', tenant, `${batch}\n${row}`)
  const findings = checkHistory({ calls, tasks, restores, idOf, batches: { final: batches, rowIdOf }, causes })
  const counts = Object.fromEntries(
    columns.map((column) => [column, findings.filter((one) => one.column === column).length]),
  )
  if (values.json) console.log(JSON.stringify({ counts, findings, calls: calls.length, tasks: tasks.length, torn }))
  else print(findings, counts, { calls, torn, tasks: tasks.length })
  return findings.length > 0 ? 1 : 0
}

process.exitCode = await main().catch((error: Error) => {
  console.error(`check-history: ${error.message}`)
  return 2
})
