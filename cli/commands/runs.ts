import type { RunResponse, RunWhy } from '#shared/contracts/workflows.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { readInput } from '../input/task-input.ts'
import { interruptible } from '../interrupt.ts'
import { note, noteMore, print, printFields, printJson, printTable } from '../render/print.ts'
import { stepLines } from '../render/run.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'
import { ago } from '../render/time.ts'
import { followRun } from './follow-run.ts'

type Shown = { json?: boolean }
type ListOptions = Shown & { workflow?: string; state?: string; limit: number; cursor?: string }

const pathOf = (id: string): string => `/runs/${encodeURIComponent(id)}`

const columns: Column[] = [
  { title: 'RUN' },
  { title: 'STATE' },
  { title: 'WORKFLOW', cut: { at: 'end', least: 12 } },
  { title: 'VERSION', align: 'right' },
  { title: 'AGE', align: 'right' },
  { title: 'ERROR', wrap: true },
]

const toRow = ({ id, state, workflow, version, startedAt, error }: RunResponse): string[] => [
  id,
  state,
  workflow,
  String(version),
  ago(startedAt),
  plain(error ?? ''),
]

/** Runs as a table. */
export const listRuns = async (client: Client, { json, ...filter }: ListOptions): Promise<void> => {
  const page = await client.get<{ items: RunResponse[]; nextCursor: string | null }>(`/runs${toQuery(filter)}`)
  if (json) return printJson(page)
  printTable(columns, page.items.map(toRow), 'no runs')
  noteMore(page)
}

/** One run with its steps. */
export const showRun = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const run = await client.get<RunResponse>(pathOf(id))
  if (json) return printJson(run)
  const { undone, error, cause, stop } = run
  printFields([
    ['id', run.id],
    ['workflow', `${run.workflow} ${run.version}`],
    ['state', run.state],
    ['error', error && plain(`${error}${cause ? `: ${cause}` : ''}`)],
    ['stopped', stop && plain(`by ${stop.by}${stop.reason ? `: ${stop.reason}` : ''}`)],
    ['undone', undone?.map((one) => `${one.step}${one.undone ? '' : ' (not)'}`).join(', ')],
    ['started', run.startedAt],
    ['finished', run.finishedAt],
    ['steps', stepLines(run).join('\n') || undefined],
    ['output', run.output === undefined ? undefined : JSON.stringify(run.output, null, 2)],
  ])
}

/** Shows a run until it is over. */
export const followOne = (client: Client, id: string, options: Shown): Promise<void> =>
  interruptible(
    (signal) => followRun(client, id, options, signal),
    () => `${id} goes on`,
  )

/** What a run waits for, or how it ended. */
export const whyRun = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const why = await client.get<RunWhy>(`${pathOf(id)}/why`)
  if (json) return printJson(why)
  print(plain(`${why.code}: ${why.message}`))
  printFields(
    why.steps.map(({ name, index, message, wouldChange }) => [
      index === undefined ? name : `${name}[${index}]`,
      plain(`${message}${wouldChange ? `; ${wouldChange}` : ''}`),
    ]),
  )
}

const tell = (run: RunResponse, { json }: Shown): void => (json ? printJson(run) : print(`${run.id} is ${run.state}`))

/** Ends a run. */
export const stopRun = async (
  client: Client,
  id: string,
  { reason, ...shown }: Shown & { reason?: string },
): Promise<void> => {
  const run = await client.request<RunResponse>('POST', `${pathOf(id)}/stop`, { body: { reason } })
  if (run.stop && run.state === 'RUNNING') note('it is told to end')
  tell(run, shown)
}

/** Goes on with a run that did not succeed. */
export const redriveRun = async (client: Client, id: string, shown: Shown): Promise<void> =>
  tell(await client.request<RunResponse>('POST', `${pathOf(id)}/redrive`), shown)

type RerunOptions = Shown & { input?: string; at?: string; idempotencyKey?: string }

/** Starts a run again. */
export const rerunRun = async (client: Client, id: string, { json, ...options }: RerunOptions): Promise<void> => {
  const input = await readInput(options.input)
  const { at: version, idempotencyKey } = options
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  const run = await client.create<RunResponse>(`${pathOf(id)}/rerun`, { input, version }, { headers })
  if (json) printJson(run)
  else print(run.id)
}
