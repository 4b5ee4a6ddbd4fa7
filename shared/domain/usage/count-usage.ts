import type { Change, Item, Key, Platform, Stored, Write } from '../../platform/platform.ts'
import { taskPk } from '../keys.ts'
import { knownLimits } from '../limits/limits-store.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { addUse, computeCost, dayOf, sumUse, type Used, useOfTask } from './usage.ts'
import { aggregateKey, type DayUse } from './usage-store.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random' | 'telemetry'>
type Ended = { change: Change<Task>; task: Task; used: Used; agent: string; day: string }

/** That a task was counted, and with what: a task is counted once, however often its end is told. */
export const countedKey = (tenant: string, task: string): Key => ({ pk: taskPk(tenant, task), sk: 'usage' })

/** So many tasks are counted in one transaction, with the sum that they are added to. */
const maxTasks = 24
const maxRounds = 50

/** Counts the tasks that ended in a batch of changes. Answers the ids of changes whose tasks could not be counted. */
export const countUsage = async (ports: Ports, changes: Change[]): Promise<string[]> => {
  const told = new Map(changes.flatMap((change) => endedIn(change as Change<Task>)).map((one) => [one.task.id, one]))
  try {
    const ended = await Promise.all([...told.values()].map((one) => priced(ports, one)))
    const groups = Map.groupBy(ended, ({ task, agent, day }) => `${task.tenant}\n${day}\n${agent}`)
    return (await Promise.all([...groups.values()].map((group) => countGroup(ports, group)))).flat()
  } catch (error) {
    ports.telemetry.log('error', 'usage was not counted and is counted again', { error: String(error) })
    return [...told.values()].map(({ change }) => change.id)
  }
}

const endedIn = (change: Change<Task>): { change: Change<Task>; task: Task }[] => {
  const task = change.type === 'task' ? change.after?.value : undefined
  const before = change.before?.value
  return task !== undefined && isFinished(task) && !(before && isFinished(before)) ? [{ change, task }] : []
}

const priced = async (ports: Ports, { change, task }: { change: Change<Task>; task: Task }): Promise<Ended> => {
  const { limits, resourceClass } = await knownLimits(ports, task.tenant, task.target?.agent)
  const compute = computeCost(task.ranSeconds ?? 0, limits.prices, resourceClass)
  const day = dayOf(task.transition.at)
  return { change, task, used: useOfTask(task, compute), agent: task.target?.agentName ?? '', day }
}

const countGroup = async (ports: Ports, group: Ended[]): Promise<string[]> => {
  const left: string[] = []
  for (let at = 0; at < group.length; at += maxTasks) {
    const some = group.slice(at, at + maxTasks)
    if (!(await countSome(ports, some))) left.push(...some.map(({ change }) => change.id))
  }
  return left
}

/** All or nothing with the sum; those that were counted before are left out. `false`: others came first too often. */
const countSome = async (ports: Ports, ended: Ended[]): Promise<boolean> => {
  let rest = ended
  for (let round = 0; round < maxRounds; round++) {
    const [first] = rest
    if (first === undefined) return true
    const key = aggregateKey(first.task.tenant, { ...first, shard: Math.floor(ports.random.number() * shards) })
    const before = await ports.main.get<DayUse>(key)
    const outcome = await ports.main.transact([sum(key, before, first, rest), ...rest.map(mark)])
    if (outcome.ok) return true
    const known = new Set(outcome.conflicts.filter(({ at, current }) => at > 0 && current).map(({ at }) => at - 1))
    rest = rest.filter((_, at) => !known.has(at))
    if (round > 2) await ports.clock.sleep(ports.random.number() * 10 * Math.min(round, 10))
  }
  return false
}

/** A busy day is counted in so many sums side by side. */
const shards = 4

const mark = ({ task, used, agent, day }: Ended): Write => {
  const item: Item = { ...countedKey(task.tenant, task.id), type: 'usage', value: { agent, day, used } }
  return { op: 'put', item, expect: 'absent', untold: true }
}

const sum = (key: Key, before: Stored<DayUse> | undefined, { agent, day }: Ended, ended: Ended[]): Write => {
  const more = sumUse(ended.map(({ used }) => used))
  const value: DayUse = { agent, day, used: before ? addUse(before.value.used, more) : more }
  const expect = before ? { rev: before.rev } : 'absent'
  return { op: 'put', item: { ...key, type: 'usage-day', value }, expect, untold: true }
}
