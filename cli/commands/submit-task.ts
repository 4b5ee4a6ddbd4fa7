import type { SubmitTask, TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { followTask } from '../client/task-events.ts'
import { usageError } from '../failure.ts'
import { type DistributionOptions, distributionOf } from '../input/distribution.ts'
import { type SchedulingOptions, schedulingOf } from '../input/scheduling.ts'
import { extendInput, parseLabels, readInput } from '../input/task-input.ts'
import { interruptible } from '../interrupt.ts'
import { note, print, printJson } from '../render/print.ts'
import { renderEvent } from '../render/task.ts'
import { prepareRepository } from '../repository/repository-input.ts'
import { throwUnlessSucceeded, writeResult } from './task-outcome.ts'

export type SubmitOptions = SchedulingOptions &
  DistributionOptions & {
    capability?: string
    agent?: string
    input?: string
    repository?: string
    base?: string
    priority?: TaskResponse['priority']
    label?: string[]
    timeout?: number
    callback?: string
    callbackEvent?: NonNullable<SubmitTask['callback']>['events']
    budgetMoney?: number
    budgetTokens?: number
    budgetSeconds?: number
    budgetChildren?: number
    budgetDepth?: number
    idempotencyKey?: string
    wait?: boolean
    follow?: boolean
    json?: boolean
  }

/** Submits a task; with `--wait` or `--follow` the exit code tells how it ended. */
export const submitTask = async (client: Client, options: SubmitOptions): Promise<void> => {
  const { capability, agent, priority, timeout, idempotencyKey } = options
  if (capability === undefined && agent === undefined) throw usageError('name a --capability or an --agent')
  if (options.base !== undefined && options.repository === undefined) throw usageError('--base needs --repository')
  if (options.input === '-' && options.shards === '-') throw usageError('only one of --input and --shards can be -')
  const labels = parseLabels(options.label)
  const given = await readInput(options.input)
  const distribution = await distributionOf(options)
  const callback = callbackOf(options)
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  let id: string | undefined
  const work = async (signal: AbortSignal): Promise<void> => {
    const input = await withRepository(client, given, options, signal)
    const common = { capability, agent, input, priority, timeoutSeconds: timeout, labels }
    const body = { ...common, ...schedulingOf(options), ...distribution, budget: budgetOf(options), callback }
    const task = await client.create<TaskResponse>('/tasks', body, { headers, signal })
    id = task.id
    if (options.wait || options.follow) await watch(client, task, options, signal)
    else tell(task, options)
  }
  await interruptible(work, () =>
    id === undefined ? 'nothing was submitted' : `${id} goes on; devcycle tasks events ${id} --follow shows it again`,
  )
}

const callbackOf = ({ callback: url, callbackEvent: events }: SubmitOptions): SubmitTask['callback'] => {
  if (url !== undefined) return { url, events }
  if (events !== undefined) throw usageError('--callback-event needs --callback')
  return undefined
}

const budgetOf = (options: SubmitOptions): SubmitTask['budget'] => {
  const { budgetMoney: money, budgetTokens: tokens, budgetSeconds: seconds } = options
  const budget = { money, tokens, seconds, children: options.budgetChildren, depth: options.budgetDepth }
  return Object.values(budget).some((bound) => bound !== undefined) ? budget : undefined
}

const withRepository = async (
  client: Client,
  input: unknown,
  { repository, base, idempotencyKey }: SubmitOptions,
  signal: AbortSignal,
): Promise<unknown> => {
  if (repository === undefined) return input
  extendInput(input, {}, '--repository')
  const prepared = await prepareRepository(client, repository, { base, names: true, idempotencyKey, signal })
  const { uncommitted = 0 } = prepared.local ?? {}
  if (uncommitted > 0) note(`note: uncommitted changes in ${uncommitted} of its files are not part of what is sent`)
  const fields = { repository: prepared.repository, ...(prepared.base && { base: prepared.base }) }
  return extendInput(input, fields, '--repository')
}

const tell = (task: TaskResponse, { json }: SubmitOptions): void => {
  if (json) printJson(task)
  else print(task.id)
  if (task.blockedBy) note(`it waits: ${task.blockedBy.message}`)
}

/** Events go to standard output, unless the result is wanted there. */
const watch = async (
  client: Client,
  task: TaskResponse,
  { wait, follow, json }: SubmitOptions,
  signal: AbortSignal,
): Promise<void> => {
  note(task.blockedBy ? `${task.id} waits: ${task.blockedBy.message}` : task.id)
  const show = wait ? note : print
  const onLost = (error: Error): void => note(`${error.message}; trying again`)
  for await (const event of followTask(client, task.id, { signal, onLost }))
    if (follow) show(json && !wait ? JSON.stringify(event) : renderEvent(event))
  const ended = await client.get<TaskResponse>(`/tasks/${task.id}`, { signal })
  if (wait && json) printJson(ended)
  throwUnlessSucceeded(ended)
  if (wait && !json) await writeResult(client, task.id)
}
