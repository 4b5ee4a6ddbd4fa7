import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { AttemptResponse, TaskEvent, TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { followTask, isFinished, waitForTask } from '../client/task-events.ts'
import { CliError, exitCodes, usageError } from '../failure.ts'
import { ago, printFields, printJson, printTable, toQuery } from '../render/print.ts'
import { prepareRepository } from '../repository/repository-input.ts'

type SubmitOptions = {
  capability?: string
  agent?: string
  input?: string
  repository?: string
  priority?: string
  label?: string[]
  timeout?: number
  idempotencyKey?: string
  wait?: boolean
  follow?: boolean
  json?: boolean
}
type Shown = { json?: boolean }

const readInput = (text: string | undefined): unknown => {
  if (text === undefined) return undefined
  const source = text === '-' ? 'standard input' : text.startsWith('@') ? text.slice(1) : '--input'
  const raw = text === '-' ? readFileSync(0, 'utf8') : text.startsWith('@') ? readText(text.slice(1)) : text
  try {
    return JSON.parse(raw)
  } catch (error) {
    throw usageError(`${source} is not JSON: ${error instanceof Error ? error.message : 'unreadable'}`)
  }
}

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw usageError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? error}`)
  }
}

const parseLabels = (labels: string[] = []): Record<string, string> =>
  Object.fromEntries(
    labels.map((label) => {
      const at = label.search(/[:=]/)
      if (at < 1) throw usageError(`label ${label} is not key:value`)
      return [label.slice(0, at), label.slice(at + 1)]
    }),
  )

const withRepository = async (client: Client, input: unknown, place: string | undefined): Promise<unknown> => {
  if (place === undefined) return input
  if (input !== undefined && (input === null || typeof input !== 'object' || Array.isArray(input)))
    throw usageError('--repository needs an --input that is an object, or none')
  return { ...input, repository: (await prepareRepository(client, place)).repository }
}

/** Submits a task; with `--wait` or `--follow` the exit code tells how it ended. */
export const submitTask = async (client: Client, options: SubmitOptions): Promise<void> => {
  const { capability, agent, priority, timeout, idempotencyKey } = options
  if (capability === undefined && agent === undefined) throw usageError('name a --capability or an --agent')
  const input = await withRepository(client, readInput(options.input), options.repository)
  const body = { capability, agent, input, priority, timeoutSeconds: timeout, labels: parseLabels(options.label) }
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  const task = await client.create<TaskResponse>('/tasks', body, { headers })
  if (!options.wait && !options.follow)
    return options.json ? printJson(task) : void process.stdout.write(`${task.id}\n`)
  await watch(client, task, options)
}

const watch = async (client: Client, task: TaskResponse, { follow, json }: SubmitOptions): Promise<void> => {
  const leave = (): void => {
    process.stderr.write(`\ntask ${task.id} goes on; devcycle tasks events ${task.id} --follow shows it again\n`)
    process.exit(exitCodes.interrupted)
  }
  process.once('SIGINT', leave)
  process.stderr.write(`${task.id}${task.blockedBy ? `: ${task.blockedBy.message}` : ''}\n`)
  if (follow) for await (const event of followTask(client, task.id)) printEvent(event, json)
  const ended = await waitForTask(client, task.id)
  process.off('SIGINT', leave)
  if (json && !follow) printJson(ended)
  else if (ended.status === 'SUCCEEDED' && !follow) await resultTask(client, task.id, {})
  throwUnlessSucceeded(ended)
}

const throwUnlessSucceeded = ({ id, status, failure }: TaskResponse): void => {
  if (status !== 'SUCCEEDED')
    throw new CliError(
      `task ${id} ${status}: ${failure?.message ?? 'it was cancelled'} (${failure?.code ?? 'CANCELLED'})`,
      exitCodes.taskFailed,
    )
}

type ListOptions = {
  status?: string
  agent?: string
  capability?: string
  label?: string[]
  limit: number
  json?: boolean
}
const columns = [
  { title: 'TASK' },
  { title: 'STATUS' },
  { title: 'AGENT' },
  { title: 'CAPABILITY' },
  { title: 'ATTEMPT', align: 'right' as const },
  { title: 'AGE', align: 'right' as const },
  { title: 'NOTE', wrap: true },
]

const noteOf = ({ failure, blockedBy, progress, status }: TaskResponse): string => {
  if (status === 'SUCCEEDED' || status === 'CANCELLED') return ''
  if (status === 'FAILED' || status === 'SCHEDULED') return failure ? `${failure.code}: ${failure.message}` : ''
  return blockedBy?.message ?? (progress ? `${Math.round(progress.percent ?? 0)} % ${progress.message ?? ''}` : '')
}

/** Tasks as a table. */
export const listTasks = async (client: Client, options: ListOptions): Promise<void> => {
  const { status, agent, capability, label, limit } = options
  const page = await client.get<{ items: TaskResponse[] }>(
    `/tasks${toQuery({ status, agent, capability, label: label?.join(','), limit })}`,
  )
  if (options.json) return printJson(page)
  const rows = page.items.map((task) => [
    task.id,
    task.status,
    task.agent ?? '-',
    task.capability ?? '-',
    `${task.attempt}/${task.maxAttempts}`,
    ago(task.createdAt),
    noteOf(task),
  ])
  printTable(columns, rows, 'no tasks')
}

/** One task. */
export const getTask = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const task = await client.get<TaskResponse>(`/tasks/${encodeURIComponent(id)}`)
  if (json) return printJson(task)
  printFields([
    ['id', task.id],
    ['status', task.status],
    ['capability', task.capability ?? '-'],
    ['agent', task.agent === null ? '-' : `${task.agent} ${task.version}`],
    ['priority', task.priority],
    ['attempt', `${task.attempt} of ${task.maxAttempts}`],
    ['created', task.createdAt],
    ['started', task.startedAt],
    ['finished', task.finishedAt],
    ['progress', task.progress && `${Math.round(task.progress.percent ?? 0)} % ${task.progress.message ?? ''}`],
    ['blocked by', task.blockedBy && `${task.blockedBy.code}: ${task.blockedBy.message}`],
    ['failure', task.failure && `${task.failure.code}: ${task.failure.message}`],
    ['result', isFinished(task) && task.status === 'SUCCEEDED' ? `devcycle tasks result ${task.id}` : undefined],
  ])
}

/** The result, byte for byte as the API answers it. */
export const resultTask = async (client: Client, id: string, _: Shown): Promise<void> => {
  const path = `/tasks/${encodeURIComponent(id)}/result`
  const response = await client.open(path)
  if (!response.ok || response.body === null) return void (await client.get(path)) // tells why, as an error
  await pipeline(Readable.fromWeb(response.body), process.stdout, { end: false })
  process.stdout.write('\n')
}

const printEvent = (event: TaskEvent, json?: boolean): void => {
  if (json) return void process.stdout.write(`${JSON.stringify(event)}\n`)
  const time = event.time.slice(11, 19)
  process.stdout.write(
    `${time}  ${String(event.seq).padStart(4)}  ${event.type.slice('task.'.length).padEnd(8)}  ${describeEvent(event)}\n`,
  )
}

const describeEvent = ({ type, data }: TaskEvent): string => {
  if (type === 'task.progress') return `${Math.round(Number(data.percent ?? 0))} % ${data.message ?? ''}`
  if (type === 'task.log') return `${data.level}: ${data.message}`
  if (type === 'task.output') return JSON.stringify(data.chunk)
  return `${data.status}${data.reason ? ` (${data.reason}${data.message ? `: ${data.message}` : ''})` : ''}`
}

/** The events so far, or with `--follow` until the end. */
export const eventsTask = async (
  client: Client,
  id: string,
  { json, follow }: Shown & { follow?: boolean },
): Promise<void> => {
  const path = `/tasks/${encodeURIComponent(id)}`
  if (follow) {
    for await (const event of followTask(client, id)) printEvent(event, json)
    return throwUnlessSucceeded(await client.get<TaskResponse>(path))
  }
  const items: TaskEvent[] = []
  for (let cursor: string | null = '0'; cursor !== null; ) {
    const page: { items: TaskEvent[]; nextCursor: string | null } = await client.get(
      `${path}/events?limit=200&cursor=${cursor}`,
    )
    items.push(...page.items)
    cursor = page.nextCursor
  }
  if (json) return printJson({ items, nextCursor: null })
  for (const event of items) printEvent(event)
}

/** The attempts as a table. */
export const attemptsTask = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const page = await client.get<{ items: AttemptResponse[] }>(`/tasks/${encodeURIComponent(id)}/attempts`)
  if (json) return printJson(page)
  const titles = [
    { title: 'ATTEMPT', align: 'right' as const },
    { title: 'OUTCOME' },
    { title: 'INSTANCE' },
    { title: 'STARTED' },
    { title: 'MESSAGE', wrap: true },
  ]
  printTable(
    titles,
    page.items.map((one) => [String(one.attempt), one.outcome, one.instance, one.startedAt, one.message ?? '']),
    'no attempts yet',
  )
}

/** Cancels a task. */
export const cancelTask = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const task = await client.request<TaskResponse>('POST', `/tasks/${encodeURIComponent(id)}/cancel`)
  if (json) printJson(task)
  else process.stdout.write(`${task.id} ${task.status}\n`)
}
