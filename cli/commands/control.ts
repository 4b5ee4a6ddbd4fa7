import type { AgentResponse } from '#shared/contracts/agents.ts'
import type { CancelledTasks } from '#shared/contracts/control.ts'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { CliError, usageError } from '../failure.ts'
import { note, print, printJson } from '../render/print.ts'

export type AgentOperation = 'pause' | 'resume' | 'maintenance' | 'activate' | 'drain'
type Operate = { reason?: string; json?: boolean }

/** Pauses, resumes, drains … an agent. */
export const operateAgent = async (
  client: Client,
  [operation, agent]: [operation: AgentOperation, agent: string],
  { reason, json }: Operate,
): Promise<void> => {
  const path = `/agents/${encodeURIComponent(agent)}/${operation}`
  const changed = await client.request<AgentResponse>('POST', path, { body: reason === undefined ? {} : { reason } })
  if (json) return printJson(changed)
  print(`${changed.name} ${changed.state} (${changed.detail})`)
  const help = helpOf[changed.detail]
  if (changed.state === 'OFFLINE' && help) note(help(changed.name))
}

/** What brings an agent that is offline back, by its detail. */
const helpOf: Record<string, ((name: string) => string) | undefined> = {
  STOPPED: () => 'no instance of it runs yet: the server starts its own agents again, others join when you start them',
  DRAINING: (name) => `it takes no work until devcycle agents activate ${name}`,
}

/** Says how many copies of an agent its host keeps; `auto`: as many as its work needs. */
export const scaleAgent = async (
  client: Client,
  [agent, wanted]: [agent: string, wanted: string],
  { reason, json }: Operate,
): Promise<void> => {
  if (wanted !== 'auto' && !/^\d{1,4}$/.test(wanted)) throw new CliError(`say a number, or auto, not ${wanted}`, 2)
  const body = { instances: wanted === 'auto' ? null : Number(wanted), ...(reason !== undefined && { reason }) }
  const changed = await client.request<AgentResponse>('POST', `/agents/${encodeURIComponent(agent)}/scale`, { body })
  if (json) printJson(changed)
  else
    print(
      `${changed.name} ${changed.instances.live} instances, ${changed.instances.wanted ?? 'as many as needed'} wanted`,
    )
}

/** Does a task again; prints the id of the task that does it. */
export const retryTask = async (
  client: Client,
  id: string,
  { from, json }: { from: 'checkpoint' | 'start'; json?: boolean },
): Promise<void> => {
  const task = await client.request<TaskResponse>('POST', `/tasks/${encodeURIComponent(id)}/retry`, { body: { from } })
  if (json) return printJson(task)
  note(task.id === id ? 'it starts now' : `a new task does the work of ${id} from its ${from}`)
  print(task.id)
}

export type CancelManyOptions = {
  agent?: string
  capability?: string
  status?: string
  priority?: string
  label?: string[]
  parent?: string
  since?: string
  until?: string
  reason?: string
  all?: boolean
  dryRun?: boolean
  yes?: boolean
  json?: boolean
}

const toLabels = (labels: string[]): Record<string, string> =>
  Object.fromEntries(
    labels.map((label) => {
      const at = label.indexOf(':')
      if (at < 1) throw new CliError(`--label takes key:value, not ${label}`, 2)
      return [label.slice(0, at), label.slice(at + 1)]
    }),
  )

const fields = ['agent', 'capability', 'status', 'priority', 'parent', 'since', 'until'] as const

const toBody = ({ label, all, reason, ...options }: CancelManyOptions): object => {
  if (all) return { all: true, reason }
  const named = Object.fromEntries(fields.map((field) => [field, options[field]]))
  const filter = { ...named, ...(label && { labels: toLabels(label) }) }
  if (Object.values(filter).every((value) => value === undefined))
    throw new CliError(`say which tasks: --${fields.join(', --')}, --label, or --all`, 2)
  return { filter, reason }
}

const tasks = (count: number): string => `${count} task${count === 1 ? '' : 's'}`

/** Cancels every unfinished task that the options name; without `--yes` it says how many those are, and does nothing. */
export const cancelTasks = async (client: Client, options: CancelManyOptions): Promise<void> => {
  const body = toBody(options)
  const send = (dryRun: boolean): Promise<CancelledTasks> =>
    client.request<CancelledTasks>('POST', '/tasks:cancel', { body: { ...body, dryRun } })
  if (options.dryRun || !options.yes) {
    const counted = await send(true)
    const would = `${counted.complete ? '' : 'at least '}${tasks(counted.matched)} would be cancelled`
    if (!options.dryRun) throw usageError(`${would}; say --yes to cancel, or --dry-run to count alone`)
    return options.json ? printJson(counted) : print(would)
  }
  const done: CancelledTasks = { matched: 0, cancelled: 0, complete: false }
  while (!done.complete) {
    const { matched, cancelled, complete } = await send(false)
    done.matched += matched
    done.cancelled += cancelled
    done.complete = complete
  }
  if (options.json) printJson(done)
  else print(`${tasks(done.cancelled)} cancelled`)
}
