import type { ScheduleResponse, ScheduleRun } from '#shared/contracts/schedules.ts'
import type { Client } from '../client/client.ts'
import { listAll } from '../client/list-all.ts'
import { toQuery } from '../client/query.ts'
import { CliError, exitCodes, usageError } from '../failure.ts'
import { parseLabels, readInput } from '../input/task-input.ts'
import { note, noteMore, print, printFields, printJson, printTable } from '../render/print.ts'
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
  workflow?: string
  workflowVersion?: string
  input?: string
  priority?: string
  label?: string[]
  timeout?: number
  name?: string
  overlap?: string
  catchUp?: number
  /** Seconds. */
  jitter?: number
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
  const { capability, agent, priority, timeout, name, overlap, catchUp, jitter, paused, idempotencyKey, json } = options
  const { workflow, workflowVersion: version } = options
  if (capability === undefined && agent === undefined && workflow === undefined)
    throw usageError('name a --capability, an --agent or a --workflow')
  if (workflow !== undefined && (capability ?? agent ?? priority ?? timeout ?? options.label) !== undefined)
    throw usageError('--workflow goes with --input and --workflow-version: its steps say the rest')
  const timing = timingOf(options)
  const input = await readInput(options.input)
  const task = { capability, agent, input, priority, timeoutSeconds: timeout, labels: parseLabels(options.label) }
  const work = workflow === undefined ? { task } : { run: { workflow, version, input } }
  const state = paused ? 'PAUSED' : undefined
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  const body = { ...timing, ...work, name, overlap, catchUpSeconds: catchUp, jitterSeconds: jitter, state }
  const schedule = await client.create<ScheduleResponse>('/schedules', body, { headers })
  if (json) printJson(schedule)
  else print(schedule.id)
}

/** Every schedule with this name: names need not differ. */
const idsNamed = async (client: Client, name: string): Promise<string[]> => {
  const all = await listAll<ScheduleResponse>(client, '/schedules')
  return all.filter((one) => one.name === name).map(({ id }) => id)
}

/** The path of a schedule by its id, or by a name that no other has. */
const placeOf = async (client: Client, idOrName: string): Promise<string> => {
  if (/^sch_/.test(idOrName)) return `/schedules/${encodeURIComponent(idOrName)}`
  const [id, ...others] = await idsNamed(client, idOrName)
  if (id === undefined)
    throw new CliError(`no schedule is named ${idOrName}; devcycle schedules list shows all`, exitCodes.notFound)
  if (others.length > 0)
    throw usageError(`several schedules are named ${idOrName}; name one by its id: ${[id, ...others].join(', ')}`)
  return `/schedules/${id}`
}

/** When it starts, on one line. */
const describeTiming = ({ cron, rate, at }: ScheduleResponse): string => {
  if (cron) return `${cron.expression} ${cron.timeZone}`
  return rate ? `every ${rate.everySeconds} s` : `once at ${at}`
}

const describeLast = ({ last }: ScheduleResponse): string | undefined =>
  last && [last.at, last.outcome, last.task ?? last.run, last.message && plain(last.message)].filter(Boolean).join(' ')

const describeCounts = ({ counts }: ScheduleResponse): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')

/** One schedule. */
export const getSchedule = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const schedule = await client.get<ScheduleResponse>(await placeOf(client, id))
  if (json) return printJson(schedule)
  printFields([
    ['id', schedule.id],
    ['name', schedule.name && plain(schedule.name)],
    ['state', schedule.state],
    ['when', describeTiming(schedule)],
    ['overlap', schedule.overlap],
    ['jitter', schedule.jitterSeconds > 0 ? `up to ${schedule.jitterSeconds} s` : undefined],
    ['next', schedule.next.join('\n') || 'none'],
    ['waiting', schedule.waitingFor && `the start of ${schedule.waitingFor}, for the end of the one before`],
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
  const schedule = await client.request<ScheduleResponse>('PATCH', await placeOf(client, id), { body: { state } })
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

type RunOptions = Shown & { idempotencyKey?: string }

/** Starts a schedule now, and prints the id of the task or the run; one that waits or does not come to be is told on standard error. */
export const runSchedule = async (client: Client, id: string, { idempotencyKey, json }: RunOptions): Promise<void> => {
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  const run = await client.create<ScheduleRun>(`${await placeOf(client, id)}/run`, {}, { headers })
  const { outcome, message = 'it gave no reason' } = run
  const made = run.task ?? run.run
  if (json) printJson(run)
  else if (made !== undefined) print(made)
  if (outcome === 'QUEUED') note(`it starts later: ${plain(message)}`)
  if (outcome === 'SKIPPED' || outcome === 'REFUSED')
    throw new CliError(`the start was ${outcome.toLowerCase()}: ${plain(message)}`, exitCodes.failed)
}

/** Deletes a schedule. */
export const deleteSchedule = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  await client.request('DELETE', await placeOf(client, id))
  if (!json) print(`${id} is deleted`)
}
