import { attemptItem, attemptOfChange } from '#shared/domain/tasks/attempts.ts'
import { publicEvent } from '#shared/domain/tasks/public-events.ts'
import { releaseBlocked } from '#shared/domain/tasks/release-blocked.ts'
import { isFinished, type Task } from '#shared/domain/tasks/task.ts'
import { eventsItem, stateEvent } from '#shared/domain/tasks/task-events.ts'
import type { Change, Platform } from '#shared/platform/platform.ts'

type Projection = (platform: Platform, change: Change) => Promise<void>

/** The task whose state this change changed, and what it was before. */
const transition = (change: Change): { before?: Task; task: Task } | undefined => {
  const before = change.before?.value as Task | undefined
  const task = change.after?.value as Task | undefined
  return task === undefined || task.transition.seq === before?.transition.seq ? undefined : { before, task }
}

const writeStateEvent: Projection = async ({ main }, change) => {
  const moved = transition(change)
  if (moved) await main.write({ op: 'put', item: eventsItem(moved.task, [stateEvent(moved.task)]), expect: 'any' })
}

const writeAttempt: Projection = async ({ main }, change) => {
  const moved = transition(change)
  const attempt = moved && attemptOfChange(moved.before, moved.task)
  if (attempt) await main.write({ op: 'put', item: attemptItem(moved.task, attempt), expect: 'any' })
}

const measure: Projection = async ({ telemetry }, change) => {
  const moved = transition(change)
  if (moved === undefined) return
  const { before, task } = moved
  const labels = { agent: task.target?.agentName ?? 'none' }
  if (before === undefined) telemetry.metric('TasksSubmitted', 1, 'Count', labels)
  if (task.status === 'RUNNING')
    telemetry.metric('QueueWait', task.transition.at - queuedAt(before, task), 'Milliseconds', labels)
  if (task.transition.reason === 'LEASE_LOST') telemetry.metric('LeasesLost', 1, 'Count', labels)
  if (!isFinished(task)) return
  telemetry.metric('TasksFinished', 1, 'Count', { ...labels, status: task.status })
  telemetry.metric('TaskDuration', task.transition.at - task.createdAt, 'Milliseconds', labels)
}

const queuedAt = (before: Task | undefined, task: Task): number => before?.transition.at ?? task.createdAt

const publish: Projection = async ({ bus }, change) => {
  const event = publicEvent(change)
  if (event === undefined) return
  const refused = await bus.publish([event])
  if (refused.length > 0) throw new Error(`the bus did not accept event ${event.id}`)
}

const offerCapability: Projection = async (platform, change) => {
  const offer = change.after?.value as { capability: string } | undefined
  if (offer) await releaseBlocked(platform, tenantOf(change), offer.capability)
}

const tenantOf = ({ key }: Change): string => key.pk.split('#')[0] ?? ''

/** What hangs off the change feed, by type of item. Every projection may run again for the same change. */
const projections: Record<string, Projection[]> = {
  task: [writeStateEvent, writeAttempt, publish, measure],
  agent: [publish],
  offer: [offerCapability],
}

/** Item types that the projector needs to see. */
export const projectedTypes = Object.keys(projections)

const projectKey = async (platform: Platform, changes: Change[]): Promise<string[]> => {
  for (const [at, change] of changes.entries()) {
    try {
      for (const project of projections[change.type] ?? []) await project(platform, change)
    } catch (error) {
      platform.telemetry.log('error', 'a change could not be projected', { id: change.id, error: String(error) })
      return changes.slice(at).map(({ id }) => id)
    }
  }
  return []
}

/** Projects a batch, in order per key and side by side across keys. Answers the ids that must come again. */
export const project = async (platform: Platform, changes: Change[]): Promise<string[]> => {
  const byKey = Map.groupBy(changes, ({ key }) => `${key.pk}\n${key.sk}`)
  return (await Promise.all([...byKey.values()].map((group) => projectKey(platform, group)))).flat()
}
