import type { TaskUsageResponse, UsageReportResponse } from '#shared/contracts/usage.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { noteMore, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'

export type UsageOptions = {
  by: 'tenant' | 'agent' | 'day' | 'task'
  since?: string
  until?: string
  limit: number
  cursor?: string
  json?: boolean
}

const numbers = ['TASKS', 'FAILED', 'ATTEMPTS', 'SECONDS', 'TOKENS', 'COST', 'COMPUTE']
const dollars = (amount: number): string => `$${amount.toFixed(amount !== 0 && amount < 0.01 ? 6 : 2)}`
const seconds = (amount: number): string => String(Math.round(amount * 10) / 10)

type Row = UsageReportResponse['totals'] & { key: string }

const toRow = (row: Row): string[] => [
  plain(row.key),
  String(row.tasks),
  String(row.failed),
  String(row.attempts),
  seconds(row.seconds),
  String(row.tokens),
  dollars(row.cost),
  dollars(row.compute),
]

/** What was used as a table, with the totals below. */
export const showUsage = async (client: Client, options: UsageOptions): Promise<void> => {
  const { by, since, until, limit, cursor, json } = options
  const report = await client.get<UsageReportResponse>(`/usage${toQuery({ by, since, until, limit, cursor })}`)
  if (json) return printJson(report)
  const columns: Column[] = [
    { title: by.toUpperCase() },
    ...numbers.map((title): Column => ({ title, align: 'right' })),
  ]
  const rows = report.items.map(toRow)
  const all = rows.length > 1 ? [...rows, toRow({ ...report.totals, key: 'total' })] : rows
  printTable(columns, all, `nothing was used from ${report.since} to ${report.until}`)
  noteMore(report)
}

const attemptColumns: Column[] = [
  { title: 'ATTEMPT', align: 'right' },
  { title: 'OUTCOME' },
  { title: 'SECONDS', align: 'right' },
  { title: 'TOKENS', align: 'right' },
  { title: 'COST', align: 'right' },
  { title: 'COMPUTE', align: 'right' },
]

/** The ledger of a task: a row for each attempt. */
export const usageOfTask = async (client: Client, id: string, { json }: { json?: boolean }): Promise<void> => {
  const ledger = await client.get<TaskUsageResponse>(`/tasks/${encodeURIComponent(id)}/usage`)
  if (json) return printJson(ledger)
  const rows = ledger.attempts.map(({ attempt, outcome, usage = {}, ...own }) => [
    String(attempt),
    plain(outcome),
    seconds(own.seconds),
    String(usage.tokens ?? 0),
    dollars(usage.cost ?? 0),
    dollars(own.compute),
  ])
  printTable(attemptColumns, rows, 'no attempts yet')
}
