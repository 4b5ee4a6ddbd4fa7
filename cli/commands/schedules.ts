import type { ScheduleResponse } from '#shared/contracts/schedules.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { usageError } from '../failure.ts'
import { parseLabels, readInput } from '../input/task-input.ts'
import { noteMore, print, printFields, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'

type Shown = { json?: boolean }

export type CreateScheduleOptions = Shown & {
  cron?: string
  timeZone?: string
  /** Seconds. */
  every?: number
  at?: string
  capability?: string
  agent?: string
  input?: string
  priority?: string
  label?: string[]
  timeout?: number
  name?: string
  overlap?: string
  catchUp?: number
  paused?: boolean
  idempotencyKey?: string
}

const timingOf = ({ cron, timeZone, every, at }: CreateScheduleOptions): object => {
  if ([cron, every, at].filter((one) => one !== undefined).length !== 1)
    throw usageError('name one of --cron, --every and --at')
  if (timeZone !== undefined && cron === undefined) throw usageError('--time-zone needs --cron')
  if (cron !== undefined) return { cron: { expression: cron, timeZone } }
  return every === undefined ? { at } : { rate: { everySeconds: every } }
}

/** Makes a schedule. */
export const createSchedule = async (client: Client, options: CreateScheduleOptions): Promise<void> => {
  const { capability, agent, priority, timeout, name, overlap, catchUp, paused, idempotencyKey, json } = options
  if (capability === undefined && agent === undefined) throw usageError('name a --capability or an --agent')
  const timing = timingOf(options)
  const input = await readInput(options.input)
  const task = { capability, agent, input, priority, timeoutSeconds: timeout, labels: parseLabels(options.label) }
  const state = paused ? 'PAUSED' : undefined
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  const body = { ...timing, task, name, overlap, catchUpSeconds: catchUp, state }
  const schedule = await client.create<ScheduleResponse>('/schedules', body, { headers })
  if (json) printJson(schedule)
  else print(schedule.id)
}

const pathOf = (id: string): string => `/schedules/${encodeURIComponent(id)}`

/** When it starts, on one line. */
const describeTiming = ({ cron, rate, at }: ScheduleResponse): string => {
  if (cron) return `${cron.expression} ${cron.timeZone}`
  return rate ? `every ${rate.everySeconds} s` : `once at ${at}`
}

const describeLast = ({ last }: ScheduleResponse): string | undefined =>
  last && [last.at, last.outcome, last.task, last.message && plain(last.message)].filter(Boolean).join(' ')

const describeCounts = ({ counts }: ScheduleResponse): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')

/** One schedule. */
export const getSchedule = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const schedule = await client.get<ScheduleResponse>(pathOf(id))
  if (json) return printJson(schedule)
  printFields([
    ['id', schedule.id],
    ['name', schedule.name && plain(schedule.name)],
    ['state', schedule.state],
    ['when', describeTiming(schedule)],
    ['overlap', schedule.overlap],
    ['next', schedule.next.join('\n') || 'none'],
    ['waiting', schedule.waitingFor && `the start of ${schedule.waitingFor}, for the end of the task before`],
    ['last', describeLast(schedule)],
    ['starts', describeCounts(schedule)],
    ['created', schedule.createdAt],
  ])
}

const columns: Column[] = [
  { title: 'SCHEDULE' },
  { title: 'STATE' },
  { title: 'NAME', cut: { at: 'end', least: 12 } },
  { title: 'NEXT' },
  { title: 'LAST' },
  { title: 'WHEN', cut: { at: 'end', least: 16 } },
]

const toRow = (schedule: ScheduleResponse): string[] => [
  schedule.id,
  schedule.state,
  plain(schedule.name ?? '-'),
  schedule.next[0] ?? '-',
  schedule.last?.outcome ?? '-',
  describeTiming(schedule),
]

type ListOptions = Shown & { limit: number; cursor?: string }

/** Schedules as a table. */
export const listSchedules = async (client: Client, { limit, cursor, json }: ListOptions): Promise<void> => {
  const path = `/schedules${toQuery({ limit, cursor })}`
  const page = await client.get<{ items: ScheduleResponse[]; nextCursor: string | null }>(path)
  if (json) return printJson(page)
  printTable(columns, page.items.map(toRow), 'no schedules')
  noteMore(page)
}

const setState = async (
  client: Client,
  id: string,
  state: 'ACTIVE' | 'PAUSED',
  { json }: Shown,
): Promise<ScheduleResponse> => {
  const schedule = await client.request<ScheduleResponse>('PATCH', pathOf(id), { body: { state } })
  if (json) printJson(schedule)
  return schedule
}

/** Pauses a schedule. */
export const pauseSchedule = async (client: Client, id: string, shown: Shown): Promise<void> => {
  const { state } = await setState(client, id, 'PAUSED', shown)
  if (!shown.json) print(`${id} is ${state}`)
}

/** Resumes a schedule, and tells its next start. */
export const resumeSchedule = async (client: Client, id: string, shown: Shown): Promise<void> => {
  const { state, next } = await setState(client, id, 'ACTIVE', shown)
  if (!shown.json) print(`${id} is ${state}; its next start is ${next[0] ?? 'never'}`)
}

/** Deletes a schedule. */
export const deleteSchedule = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  await client.request('DELETE', pathOf(id))
  if (!json) print(`${id} is deleted`)
}
