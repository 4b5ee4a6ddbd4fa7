import type { Finding } from '#cli/server/faults/check/history.ts'
import type { Pool } from '#shared/domain/budgets/pool.ts'
import { isFinished, type Task } from '#shared/domain/tasks/task.ts'
import type { Stored } from '#shared/platform/platform.ts'
import { strangerId } from '../world/client.ts'
import type { World } from '../world/world.ts'

/** What must hold of the records at rest: what hangs off a task is there, and nothing counts what is not. */
export const checkRecords = (world: World): Finding[] => {
  const tasks = [...world.main.rows()].filter(({ type }) => type === 'task') as Stored<Task>[]
  return [
    ...tasks.flatMap(({ value, pk }) => [...published(world, value), ...bodies(world, value), ...owner(value, pk)]),
    ...strangers(world),
    ...answers(world, tasks),
    ...pools(world),
  ]
}

/** What people were told was taken as the answer is the answer. */
const answers = ({ calls, restores }: World, tasks: Stored<Task>[]): Finding[] => {
  const heads = new Map(tasks.map(({ value }) => [value.id, value]))
  const given = calls.filter(({ operation, answer }) => operation === 'giveInput' && answer?.status === 200)
  return given.flatMap(({ params: { task = '' }, digest }): Finding[] => {
    const response = heads.get(task)?.resume?.response
    const kept = response?.in === 'head' ? JSON.stringify({ response: response.value }) : undefined
    return kept === digest || restores.length > 0
      ? []
      : [{ column: 'lost', task, message: `${task} goes on with ${kept}, not with ${digest}` }]
  })
}

/** At no time is more of a budget used than there was, and in the end nothing is kept for anybody. */
const pools = ({ main, overspent }: World): Finding[] => [
  ...overspent.map((message): Finding => ({ column: 'illegal_transition', message })),
  ...[...main.rows()]
    .filter(({ type, value }) => type === 'pool' && (value as Pool).open > 0)
    .map(
      ({ pk, value }): Finding => ({
        column: 'stuck',
        message: `the pool ${pk} is kept open: ${JSON.stringify(value)}`,
      }),
    ),
]

/** Nobody is answered anything of another tenant. */
const strangers = ({ calls }: World): Finding[] =>
  calls
    .filter(({ principal, answer }) => principal === `key:${strangerId}` && (answer?.status ?? 404) < 300)
    .map((call) => ({
      column: 'unexpected',
      task: call.params.task,
      message: `${call.id} told a stranger of ${call.params.task}`,
    }))

const published = ({ published: events }: World, task: Task): Finding[] => {
  const type = `io.devcycle.task.${task.status.toLowerCase()}.v1`
  const told = events.some((event) => event.subject === task.id && event.type === type)
  return !isFinished(task) || told
    ? []
    : [{ column: 'lost', task: task.id, message: `nobody was told that ${task.id} ${task.status}` }]
}

/** The original payload stays, also of what failed; the result of the last attempt is the one that is kept. */
const bodies = ({ main, objects }: World, task: Task): Finding[] => {
  const kept = [task.input, ...(task.result ? [task.result] : [])]
  const gone = kept.filter((body) => {
    if (body.in === 'item') return main.get({ pk: `${task.tenant}#task#${task.id}`, sk: body.sk }) === undefined
    return body.in === 'object' && objects.stat({ tenant: task.tenant, id: body.id }) === undefined
  })
  const foreign =
    task.status === 'SUCCEEDED' &&
    task.result?.in === 'head' &&
    (task.result.value as { by?: string }).by !== task.answer?.fence
  return [
    ...gone.map(
      (body): Finding => ({
        column: 'lost',
        task: task.id,
        message: `a body of ${task.id} is gone: ${JSON.stringify(body)}`,
      }),
    ),
    ...(foreign
      ? [{ column: 'stale_accepted' as const, task: task.id, message: `${task.id} has the result of another attempt` }]
      : []),
    ...(task.status === 'FAILED' && task.failure === undefined
      ? [{ column: 'lost' as const, task: task.id, message: `${task.id} failed without a reason` }]
      : []),
  ]
}

const owner = (task: Task, pk: string): Finding[] =>
  pk.startsWith(`${task.tenant}#`)
    ? []
    : [{ column: 'unexpected', task: task.id, message: `${task.id} of ${task.tenant} is kept as ${pk}` }]
