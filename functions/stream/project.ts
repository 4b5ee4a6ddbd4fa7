import type { Agent } from '#shared/domain/agents/agent.ts'
import { attemptItem, attemptOfChange } from '#shared/domain/tasks/attempts.ts'
import { handOnTasks } from '#shared/domain/tasks/hand-on-task.ts'
import { publicEvent } from '#shared/domain/tasks/public-events.ts'
import { releaseBlocked } from '#shared/domain/tasks/release-blocked.ts'
import { isFinished, type Task } from '#shared/domain/tasks/task.ts'
import { eventsItem, stateEvent } from '#shared/domain/tasks/task-events.ts'
import type { Change, Item, Key, Platform } from '#shared/platform/platform.ts'
import { decommissionedItem } from './decommissioned.ts'

/** What hangs off a change: records that are derived from it, and things to do. All of it may happen again. */
type Projection = { items?: (change: Change) => Item[]; act?: (platform: Platform, change: Change) => Promise<void> }

/** The task whose state this change changed, and what it was before. */
const transition = (change: Change): { before?: Task; task: Task } | undefined => {
  const before = change.before?.value as Task | undefined
  const task = change.after?.value as Task | undefined
  return task === undefined || task.transition.seq === before?.transition.seq ? undefined : { before, task }
}

/** The event of the new state, and the attempt that it began or ended. */
const taskItems = (change: Change): Item[] => {
  const moved = transition(change)
  if (moved === undefined) return []
  const attempt = attemptOfChange(moved.before, moved.task)
  return [eventsItem(moved.task, [stateEvent(moved.task)]), ...(attempt ? [attemptItem(moved.task, attempt)] : [])]
}

const measure = ({ telemetry }: Platform, change: Change): void => {
  const moved = transition(change)
  if (moved === undefined) return
  const { before, task } = moved
  const labels = { agent: task.target?.agentName ?? 'none' }
  const waited = task.transition.at - (before?.transition.at ?? task.createdAt)
  if (before === undefined) telemetry.metric('TasksSubmitted', 1, 'Count', labels)
  if (task.status === 'RUNNING') telemetry.metric('QueueWait', waited, 'Milliseconds', labels)
  if (task.transition.reason === 'LEASE_LOST') telemetry.metric('LeasesLost', 1, 'Count', labels)
  if (!isFinished(task)) return
  telemetry.metric('TasksFinished', 1, 'Count', { ...labels, status: task.status })
  telemetry.metric('TaskDuration', task.transition.at - task.createdAt, 'Milliseconds', labels)
}

const publish = async ({ bus }: Platform, change: Change): Promise<void> => {
  const event = publicEvent(change)
  if (event === undefined) return
  const refused = await bus.publish([event])
  if (refused.length > 0) throw new Error(`the bus did not accept event ${event.id}`)
}

const releaseFor = async (platform: Platform, change: Change): Promise<void> => {
  const offer = change.after?.value as { capability: string } | undefined
  if (offer) await releaseBlocked(platform, change.key.pk.split('#')[0] ?? '', offer.capability)
}

/** The name of an agent that is gone, for whoever would start it again. */
const agentItems = (change: Change): Item[] => {
  const agent = change.after?.value as Agent | undefined
  return agent?.decommissionedAt === undefined ? [] : [decommissionedItem(agent)]
}

const handOn = async (platform: Platform, change: Change): Promise<void> => {
  const agent = change.after?.value as Agent | undefined
  if (agent?.decommissionedAt !== undefined) await handOnTasks(platform, agent)
}

/** By type of item; what is not named here is nobody's concern. */
const projections: Record<string, Projection> = {
  task: {
    items: taskItems,
    async act(platform, change) {
      await publish(platform, change)
      measure(platform, change)
    },
  },
  agent: {
    items: agentItems,
    async act(platform, change) {
      await publish(platform, change)
      await handOn(platform, change)
    },
  },
  offer: { act: releaseFor },
}
export const projectedTypes = Object.keys(projections)

const idOf = ({ pk, sk }: Key): string => `${pk}\n${sk}`

/** Writes derived records side by side, the latest of each key alone. Answers the keys of changes that failed. */
const writeItems = async (platform: Platform, changes: Change[]): Promise<Set<string>> => {
  const latest = new Map<string, { item: Item; of: string }>()
  for (const change of changes)
    for (const item of projections[change.type]?.items?.(change) ?? [])
      latest.set(idOf(item), { item, of: idOf(change.key) })
  const failed = new Set<string>()
  await Promise.all(
    [...latest.values()].map(({ item, of }) =>
      platform.main.write({ op: 'put', item, expect: 'any' }).catch((error: unknown) => {
        platform.telemetry.log('error', 'a derived record was not written', { key: of, error: String(error) })
        failed.add(of)
      }),
    ),
  )
  return failed
}

/** Acts on the changes of one key in order; from the first that fails on, all come again. */
const actInOrder = async (platform: Platform, changes: Change[]): Promise<string[]> => {
  for (const [at, change] of changes.entries())
    try {
      await projections[change.type]?.act?.(platform, change)
    } catch (error) {
      platform.telemetry.log('error', 'a change could not be projected', { id: change.id, error: String(error) })
      return changes.slice(at).map(({ id }) => id)
    }
  return []
}

/** Projects a batch, in order per key and side by side across keys. Answers the ids that must come again. */
export const project = async (platform: Platform, changes: Change[]): Promise<string[]> => {
  const known = changes.filter(({ type }) => type in projections)
  const unwritten = await writeItems(platform, known)
  const byKey = Map.groupBy(known, ({ key }) => idOf(key))
  const outcomes = [...byKey].map(([key, group]) =>
    unwritten.has(key) ? group.map(({ id }) => id) : actInOrder(platform, group),
  )
  return (await Promise.all(outcomes)).flat()
}
