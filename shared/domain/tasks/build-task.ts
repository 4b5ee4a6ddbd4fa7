import type { Platform } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import { deepestOf } from '../budgets/depth.ts'
import { ownPool } from '../budgets/open-shares.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { streamItem } from '../input/input-stream.ts'
import type { Choice } from './choose-target.ts'
import type { Lineage } from './lineage.ts'
import { retryPolicyOf } from './retry-policy.ts'
import type { SubmitCommand } from './submit-command.ts'
import { defaultDeadlineMs, defaultTimeoutSeconds, latestTime, resendMs, type Task } from './task.ts'
import { taskPk } from './task-store.ts'

type Ports = Pick<Platform, 'objects' | 'clock'>

type Plan = Choice & { id: string; submitted: string; command: SubmitCommand; lineage?: Lineage }

/** The head of a new task, and the items to store with it. */
export const buildTask = async (ports: Ports, caller: Caller, plan: Plan) => {
  const { id, command } = plan
  const { tenant } = caller
  const now = ports.clock.now()
  const stamped = stamp(caller, 'task.submit')
  const place = { tenant, pk: taskPk(tenant, id), stamp: stamped }
  const input = await planBody(ports, { ...place, sk: 'input', value: command.input })
  const start = command.retryOf?.checkpoint
  const checkpoint =
    start === undefined ? undefined : await planBody(ports, { ...place, sk: 'checkpoint', value: start })
  const callback = command.callback && (await planBody(ports, { ...place, sk: 'callback', value: command.callback }))
  const configuration = plan.agent?.configuration
  const deadline = command.deadline ?? Math.min(Math.max(now, command.runAt ?? 0) + defaultDeadlineMs, latestTime)
  const later = command.runAt !== undefined && command.runAt > now
  const task: Task = {
    id,
    tenant,
    status: later ? 'SCHEDULED' : 'QUEUED',
    capability: plan.capability,
    target: plan.target,
    ...(command.agent !== undefined && { agentNamed: true as const }),
    priority: command.priority ?? configuration?.priority ?? 'normal',
    fairnessKey: command.fairnessKey ?? labelOf(command, configuration?.fairnessLabel) ?? actorOf(caller),
    labels: command.labels,
    input: input.body,
    retry: retryPolicyOf(command.retry, configuration?.retry),
    timeoutSeconds: command.timeoutSeconds ?? configuration?.timeoutSeconds ?? defaultTimeoutSeconds,
    deadline,
    ...(command.deadline !== undefined && { deadlineGiven: true as const }),
    runAt: command.runAt,
    attempt: 0,
    failures: 0,
    leaseLosses: 0,
    releases: 0,
    epoch: 0,
    seq: 1,
    transition: { seq: 1, to: later ? 'SCHEDULED' : 'QUEUED', at: now },
    blockedBy: plan.blockedBy,
    dueAt: Math.min(later ? (command.runAt ?? now) : now + resendMs, deadline),
    createdAt: now,
    submitted: plan.submitted,
    submittedBy: actorOf(caller),
    traceparent: command.traceparent,
    stamp: stamped,
    ...(plan.requirements && { requirements: plan.requirements }),
    ...(plan.routing && { routing: plan.routing }),
    ...(command.affinityKey !== undefined && { affinityKey: command.affinityKey }),
    ...(callback && { callback: callback.body }),
    ...(command.schedule && { schedule: command.schedule }),
    ...(command.letter && { letter: command.letter }),
    ...(command.hops && { hops: command.hops }),
    ...(command.workflow && { workflow: command.workflow }),
    ...(command.run !== undefined && { run: command.run }),
    ...(command.retryOf && { retryOf: command.retryOf.id }),
    ...(checkpoint && { checkpoint: checkpoint.body }),
    ...(command.batch && { batch: command.batch }),
    ...plan.lineage,
    ...(command.fairnessKey !== undefined && { fairnessKey: command.fairnessKey }),
    ...budgetOf(id, plan),
  }
  const bodies = [input, checkpoint, callback].flatMap((planned) => planned?.items ?? [])
  const { stream } = command.retryOf ?? {}
  const streams = stream ? [streamItem(tenant, id, stream)] : []
  return { task, items: [...bodies, ...streams, ...ownPool(task, plan.lineage?.pool)] }
}

/** A task with a budget of its own draws on a pool of its own. */
const budgetOf = (id: string, { command: { budget }, lineage }: Plan): Pick<Task, 'budget' | 'pool' | 'deepest'> => {
  if (budget === undefined) return {}
  const deepest = deepestOf(lineage?.deepest, lineage?.depth, budget)
  return { budget, pool: id, ...(deepest !== undefined && { deepest }) }
}

/** The value of a label, where an agent wants fairness between its values. */
const labelOf = ({ labels }: SubmitCommand, name: string | undefined): string | undefined =>
  name !== undefined && Object.hasOwn(labels, name) ? labels[name] : undefined
