import type { Change, CloudEvent } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import type { Approval } from '../approvals/approval.ts'
import { approvalEvent } from '../approvals/approval-events.ts'
import { fullType } from '../webhooks/event-types.ts'
import { capabilityOf, isFinished, type Task } from './task.ts'

/** The `source` of everything the platform publishes. */
export const eventSource = 'io.devcycle'

const envelope = (change: Change, tenant: string, time: number) => ({
  specversion: '1.0' as const,
  id: change.id,
  source: eventSource,
  time: new Date(time).toISOString(),
  datacontenttype: 'application/json' as const,
  tenantid: tenant,
})

/** What other systems are told about a change: tasks that ended, approvals, agents that came and went. */
export const publicEvent = (change: Change): CloudEvent | undefined => {
  if (change.type === 'task') return taskEvent(change as Change<Task>)
  if (change.type === 'agent') return agentEvent(change as Change<Agent>)
  if (change.type === 'approval') return eventOfApproval(change as Change<Approval>)
  return undefined
}

const eventOfApproval = (change: Change<Approval>): CloudEvent | undefined => {
  const event = approvalEvent(change)
  if (event === undefined) return undefined
  const { tenant, time, ...rest } = event
  return { ...envelope(change, tenant, time), ...rest }
}

const endTypes = { SUCCEEDED: 'task.succeeded', FAILED: 'task.failed', CANCELLED: 'task.cancelled' } as const

const taskEvent = (change: Change<Task>): CloudEvent | undefined => {
  const task = change.after?.value
  if (task === undefined || !isFinished(task) || change.before?.value.status === task.status) return undefined
  const { id, tenant, status, target, labels, failure, attempt } = task
  return {
    ...envelope(change, tenant, task.transition.at),
    type: fullType(endTypes[status as keyof typeof endTypes]),
    subject: id,
    ...(task.traceparent && { traceparent: task.traceparent }),
    data: {
      id,
      status,
      capability: capabilityOf(task),
      agent: target?.agentName,
      version: target?.version,
      labels,
      attempt,
      failure,
    },
  }
}

const agentEvent = (change: Change<Agent>): CloudEvent | undefined => {
  const agent = change.after?.value
  if (agent === undefined) return undefined
  const came = change.before === undefined
  const went = agent.decommissionedAt !== undefined && change.before?.value.decommissionedAt === undefined
  if (!came && !went) return undefined
  const { id, tenant, name, version, capabilities } = agent
  return {
    ...envelope(change, tenant, agent.updatedAt),
    type: fullType(came ? 'agent.registered' : 'agent.decommissioned'),
    subject: id,
    data: { id, name, version, capabilities: capabilities.map((one) => one.name) },
  }
}
