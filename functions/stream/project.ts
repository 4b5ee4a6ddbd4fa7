import { checkInput } from '#functions/api/check-input.ts'
import { scheduleTools } from '#functions/sweep/schedule-tools.ts'
import type { Agent } from '#shared/domain/agents/agent.ts'
import type { Approval } from '#shared/domain/approvals/approval.ts'
import { closeApprovalOf } from '#shared/domain/approvals/close-approval.ts'
import { finishShares } from '#shared/domain/budgets/settle.ts'
import { trimShares } from '#shared/domain/budgets/trim-shares.ts'
import type { FanOut } from '#shared/domain/fan-out/fan-out.ts'
import { isForTask, type Letter } from '#shared/domain/inboxes/letter.ts'
import type { Instance } from '#shared/domain/instances/instance.ts'
import type { LimitsRow } from '#shared/domain/limits/limits-store.ts'
import { wakeForAgent, wakeForLimits } from '#shared/domain/limits/wake-changed.ts'
import { endLetter, handleLetter } from '#shared/domain/messages/handle-letter.ts'
import { closeConnections } from '#shared/domain/realtime/close-connections.ts'
import { attendSchedule } from '#shared/domain/schedules/attend-schedule.ts'
import { attemptItem, attemptOfChange } from '#shared/domain/tasks/attempts.ts'
import { endChildren as endChildrenOf, endsChildren } from '#shared/domain/tasks/cancel-children.ts'
import { handOnLost, handOnTasks } from '#shared/domain/tasks/hand-on-task.ts'
import { publicEvent } from '#shared/domain/tasks/public-events.ts'
import { releaseBlocked } from '#shared/domain/tasks/release-blocked.ts'
import { isFinished, type Task } from '#shared/domain/tasks/task.ts'
import { eventsItem, stateEvent, type TaskEvent } from '#shared/domain/tasks/task-events.ts'
import { countUsage } from '#shared/domain/usage/count-usage.ts'
import { notifyCallback, notifyWebhooks } from '#shared/domain/webhooks/notify.ts'
import { isOver, type Run } from '#shared/domain/workflows/run.ts'
import { endApprovalStep } from '#shared/domain/workflows/steps/approval-step.ts'
import { endRowsStep } from '#shared/domain/workflows/steps/rows-step.ts'
import { endChildStep } from '#shared/domain/workflows/steps/sub-workflow-step.ts'
import { endTaskStep } from '#shared/domain/workflows/steps/task-step.ts'
import { idOfKey } from '#shared/platform/id-of-key.ts'
import type { Change, CloudEvent, Item, Platform } from '#shared/platform/platform.ts'
import { type Duties, type Duty, doDuties } from './duties.ts'
import { noteEnds } from './note-ends.ts'
import { notePerformance, placeForAgent, placeForEnded, placeForInstance } from './place-tasks.ts'

/** What hangs off the changes of one key: records that are derived from them, and things to do. All of it may happen again. */
type Projection = { items?: (changes: Change[]) => Item[]; duties?: Duties }

/** The task whose state this change changed, and what it was before. */
const transition = (change: Change): { before?: Task; task: Task } | undefined => {
  const before = change.before?.value as Task | undefined
  const task = change.after?.value as Task | undefined
  return task === undefined || task.transition.seq === before?.transition.seq ? undefined : { before, task }
}

/** The events of new states, those that follow each other in one item, and the attempts that they began or ended. */
const taskItems = (changes: Change[]): Item[] => {
  const moves = changes.map(transition).filter((move) => move !== undefined)
  const attempts = moves.flatMap(({ before, task }) => {
    const attempt = attemptOfChange(before, task)
    return attempt ? [attemptItem(task, attempt)] : []
  })
  const runs: [TaskEvent, ...TaskEvent[]][] = []
  for (const event of moves.map(({ task }) => stateEvent(task))) {
    const last = runs.at(-1)
    if (last?.at(-1)?.seq === event.seq - 1) last.push(event)
    else runs.push([event])
  }
  return [...attempts, ...runs.flatMap((run) => (moves[0] ? [eventsItem(moves[0].task, run)] : []))]
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

const tell = async ({ bus }: Platform, event: CloudEvent): Promise<void> => {
  const refused = await bus.publish([event])
  if (refused.length > 0) throw new Error(`the bus did not accept event ${event.id}`)
}

const publish: Duty = (platform, change) => {
  const event = publicEvent(change)
  if (event) return tell(platform, event)
}

const tellWebhooks: Duty = (platform, change) => {
  const event = publicEvent(change)
  if (event) return notifyWebhooks(platform, event)
}

/** Whoever submitted a task with a callback is told of it. */
const tellCallback: Duty = (platform, change) => {
  const task = transition(change)?.task
  const event = task?.callback && publicEvent(change)
  if (task && event) return notifyCallback(platform, task, event)
}

/** What a task that failed or was cancelled had called ends with it. */
const endChildren: Duty = (platform, change) => {
  const task = transition(change)?.task
  if (task && endsChildren(task)) return endChildrenOf(platform, task)
}

/** What an attempt has spent is charged when it ends; what it took ahead, and what a task that ended has not spent, goes back. */
const settleBudget: Duty = (platform, change) => {
  const task = transition(change)?.task
  if (task?.pool === undefined) return
  if (isFinished(task)) return finishShares(platform, task)
  if (task.status !== 'RUNNING' && task.ranSeconds !== undefined) return trimShares(platform, task)
}

/** What a task waits for no more leaves nobody's inbox full. */
const closeApproval: Duty = (platform, change) => {
  const moved = transition(change)
  if (moved?.before?.waiting?.approval !== undefined) return closeApprovalOf(platform, moved.before, moved.task)
}

const releaseFor = async (platform: Platform, change: Change): Promise<void> => {
  const offer = change.after?.value as { capability: string } | undefined
  if (offer) await releaseBlocked(platform, change.key.pk.split('#')[0] ?? '', offer.capability)
}

const handOn = async (platform: Platform, change: Change): Promise<void> => {
  const agent = change.after?.value as Agent | undefined
  if (agent?.decommissionedAt !== undefined) await handOnTasks(platform, agent)
}

/** What comes back to the queue of an agent that is gone meanwhile goes on with whoever offers its capability. */
const handOnReturned: Duty = (platform, change) => {
  const moved = transition(change)
  if (moved?.before && moved.task.status === 'QUEUED') return handOnLost(platform, moved.task).then(() => {})
}

/** The slot of a task that required labels is free for another one that does. */
const freeLabelled: Duty = (platform, change) => {
  const moved = transition(change)
  if (moved?.before?.requirements?.labels && moved.before.status === 'RUNNING')
    return placeForEnded(platform, moved.before)
}

/** A start of a schedule may wait for the end of the one before. */
const startNext: Duty = (platform, change) => {
  const task = transition(change)?.task
  if (task?.schedule && isFinished(task)) return attendSchedule(platform, task.tenant, task.schedule, scheduleTools)
}

const endStepOfRows = async (platform: Platform, change: Change): Promise<void> => {
  const fan = change.after?.value as FanOut | undefined
  if (fan?.step) await endRowsStep(platform, fan)
}

/** The same for a run that a schedule started. */
const startNextRun = async (platform: Platform, change: Change): Promise<void> => {
  const run = change.after?.value as Run | undefined
  if (run?.schedule && isOver(run)) await attendSchedule(platform, run.tenant, run.schedule, scheduleTools)
}

/** A message with a handler becomes a task when it is its turn, and its end is the message's. */
const handleMessage = (platform: Platform, change: Change): Promise<void> | void => {
  const letter = change.after?.value as Letter | undefined
  const before = change.before?.value as Letter | undefined
  if (letter && isForTask(letter) && !(before && isForTask(before))) return handleLetter(platform, letter, checkInput)
}

const endMessage: Duty = (platform, change) => {
  const task = transition(change)?.task
  if (task?.letter !== undefined) return endLetter(platform, task)
}

/** What a run waited for has ended: its step has. */
const endStepOfTask: Duty = (platform, change) => {
  const task = transition(change)?.task
  if (task?.workflow !== undefined) return endTaskStep(platform, task)
}

const endStepOfApproval = async (platform: Platform, change: Change): Promise<void> => {
  const approval = change.after?.value as Approval | undefined
  if (approval !== undefined) await endApprovalStep(platform, approval)
}

const endStepOfRun = async (platform: Platform, change: Change): Promise<void> => {
  const run = change.after?.value as Run | undefined
  if (run !== undefined) await endChildStep(platform, run)
}

/** Other systems come last: what they refuse concerns nobody here. */
const tellOthers: Duties = { tellWebhooks, publish }

/** By type of item; what is not named here is nobody's concern. */
const projections: Record<string, Projection> = {
  task: {
    items: taskItems,
    duties: {
      measure,
      endChildren,
      settleBudget,
      closeApproval,
      handOnReturned,
      freeLabelled,
      startNext,
      endStepOfTask,
      endMessage,
      tellCallback,
      ...tellOthers,
    },
  },
  agent: {
    duties: {
      handOn,
      wake: (platform, change) => wakeForAgent(platform, change as Change<Agent>),
      place: (platform, change) => placeForAgent(platform, change as Change<Agent>),
      ...tellOthers,
    },
  },
  offer: { duties: { releaseFor } },
  approval: { duties: { endStepOfApproval, ...tellOthers } },
  batch: { duties: { endStepOfRows } },
  run: { duties: { endStepOfRun, startNextRun } },
  limits: { duties: { wake: (platform, change) => wakeForLimits(platform, change as Change<LimitsRow>) } },
  letter: { duties: { handleMessage } },
  message: {}, // told to whoever watches, a response to whoever waits for it, and nothing else
  publication: {}, // told to whoever watches, and nothing else
  match: {}, // told to whoever watches its subscription, and nothing else
  schedule: {}, // told to whoever watches, and nothing else
  instance: {
    duties: { place: (platform, change) => placeForInstance(platform, change as Change<Instance>), closeConnections },
  },
  'api-key': { duties: { closeConnections } },
}
export const projectedTypes = Object.keys(projections)

/** Writes derived records side by side, the latest of each key alone. Answers the keys of changes that failed. */
const writeItems = async (platform: Platform, byKey: Map<string, Change[]>): Promise<Set<string>> => {
  const latest = new Map<string, { item: Item; of: string }>()
  for (const [of, changes] of byKey)
    for (const item of projections[changes[0]?.type ?? '']?.items?.(changes) ?? [])
      latest.set(idOfKey(item), { item, of })
  const failed = new Set<string>()
  await Promise.all(
    [...latest.values()].map(({ item, of }) =>
      platform.main.write({ op: 'put', item, expect: 'any', untold: true }).catch((error: unknown) => {
        platform.telemetry.log('error', 'a derived record was not written', { key: of, error: String(error) })
        failed.add(of)
      }),
    ),
  )
  return failed
}

/** Projects a batch, in order per key and side by side across keys. Answers the ids that must come again. */
export const project = async (platform: Platform, changes: Change[]): Promise<string[]> => {
  const known = changes.filter(({ type }) => type in projections)
  const byKey = Map.groupBy(known, ({ key }) => idOfKey(key))
  const undone = await writeItems(platform, byKey)
  const moved = (change: Change) => (change.type === 'task' ? transition(change)?.task : undefined)
  await noteEnds(platform, { byKey, moved, undone })
  await notePerformance(platform, known)
  const outcomes = [...byKey].map(([key, group]) =>
    undone.has(key)
      ? group.map(({ id }) => id)
      : doDuties(platform, projections[group[0]?.type ?? '']?.duties ?? {}, group),
  )
  const failed = (await Promise.all(outcomes)).flat()
  return [...new Set([...failed, ...(await countUsage(platform, known))])]
}
