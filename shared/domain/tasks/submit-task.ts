import type { Platform } from '../../platform/platform.ts'
import { type Agent, offers, takesWork } from '../agents/agent.ts'
import { getAgent } from '../agents/agent-store.ts'
import { planBody } from '../bodies/body.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { findTarget, targetOf } from '../dispatch/find-target.ts'
import { sendTask } from '../dispatch/send-task.ts'
import { DomainError, invalid } from '../domain-error.ts'
import { digest, idFor } from '../ids.ts'
import { isObjectRef, requireContent } from '../objects/object-ref.ts'
import { defaultRetry, type RetryPolicy } from './retry-policy.ts'
import { routeBlocked } from './route-blocked.ts'
import { defaultDeadlineMs, defaultTimeoutSeconds, type Priority, resendMs, type Target, type Task } from './task.ts'
import { createTask, findTask, taskPk } from './task-store.ts'

export type SubmitCommand = {
  capability?: string
  agent?: string
  version?: string
  input?: unknown
  priority?: Priority
  labels: Record<string, string>
  /** Milliseconds. */
  runAt?: number
  /** Milliseconds. */
  deadline?: number
  timeoutSeconds?: number
  retry?: Partial<RetryPolicy>
  idempotencyKey?: string
  traceparent?: string
}

/** Says what in an input does not fit a JSON Schema. */
export type CheckInput = (
  schema: Record<string, unknown>,
  input: unknown,
) => Promise<{ pointer: string; message: string }[]>

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

/**
 * Accepts a task: routes it, stores its head if absent and sends its id, in parallel. A send that fails is made good
 * by the sweep. With an idempotency key the same body answers the stored task, another body is a conflict.
 */
export const submitTask = async (
  ports: Ports,
  caller: Caller,
  command: SubmitCommand,
  checkInput: CheckInput,
): Promise<Task> => {
  const id = idFor('tsk', caller.tenant, command.idempotencyKey, ports)
  const submitted = command.idempotencyKey === undefined ? '' : fingerprint(command)
  const before = command.idempotencyKey === undefined ? undefined : await findTask(ports, caller.tenant, id)
  if (before) return sameOrConflict(before.value, submitted, command)
  const { agent, target, capability } = await chooseTarget(ports, caller.tenant, command)
  await requireContent(ports, caller.tenant, { value: command.input, pointer: '#/input' })
  await checkAgainstSchema(agent, capability, command.input, checkInput)
  const { task, items } = await buildTask(ports, caller, { id, submitted, command, agent, target, capability })
  const [existing] = await Promise.all([createTask(ports, task, items), dispatch(ports, task)])
  if (existing) return sameOrConflict(existing, submitted, command)
  if (task.blockedBy) await routeBlocked(ports, caller.tenant, id) // somebody may have registered meanwhile
  return task
}

/** The same for the same wish, whoever traces it. */
const fingerprint = (command: SubmitCommand): string =>
  digest({ ...command, idempotencyKey: undefined, traceparent: undefined })

const sameOrConflict = (task: Task, submitted: string, { idempotencyKey }: SubmitCommand): Task => {
  if (task.submitted === submitted) return task
  throw new DomainError(
    'IDEMPOTENCY_CONFLICT',
    `the idempotency key ${idempotencyKey} was used for task ${task.id} with another body; use a new key for a new task`,
  )
}

const dispatch = async (ports: Ports, task: Task): Promise<void> => {
  if (task.status === 'SCHEDULED') await remind(ports, { tenant: task.tenant, id: task.id, at: task.dueAt ?? 0 })
  else await sendTask(ports, task)
}

type Choice = { agent?: Agent; target?: Target; capability?: string }

const chooseTarget = async (ports: Ports, tenant: string, command: SubmitCommand): Promise<Choice> => {
  if (command.agent !== undefined) return chooseNamed(ports, tenant, command.agent, command)
  const target = await findTarget(ports, tenant, command.capability ?? '')
  const agent = target && (await getAgent(ports, tenant, target.agent)).value
  return { agent, target, capability: command.capability }
}

const chooseNamed = async (ports: Ports, tenant: string, name: string, command: SubmitCommand): Promise<Choice> => {
  const agent = (await getAgent(ports, tenant, name)).value
  if (!takesWork(agent))
    throw new DomainError('CONFLICT', `agent ${agent.name} is decommissioned and takes no more tasks`)
  if (command.version !== undefined && command.version !== agent.version)
    throw invalid(
      '#/version',
      'UNKNOWN_VERSION',
      `agent ${agent.name} has no version ${command.version}; it has ${agent.version}`,
    )
  const names = agent.capabilities.map((one) => one.name)
  if (command.capability !== undefined && !offers(agent, command.capability))
    throw invalid(
      '#/capability',
      'NOT_OFFERED',
      `agent ${agent.name} does not offer ${command.capability}; it offers ${names.join(', ') || 'nothing'}`,
    )
  return {
    agent,
    target: targetOf(agent),
    capability: command.capability ?? (names.length === 1 ? names[0] : undefined),
  }
}

const checkAgainstSchema = async (
  agent: Agent | undefined,
  capability: string | undefined,
  input: unknown,
  check: CheckInput,
): Promise<void> => {
  const schema = agent?.capabilities.find(({ name }) => name === capability)?.inputSchema
  if (schema === undefined || isObjectRef(input)) return // what is in the object is only known to the agent
  const problems = await check(schema, input)
  if (problems.length > 0)
    throw new DomainError(
      'INVALID',
      `the input does not fit the input schema of ${capability}`,
      problems.map(({ pointer, message }) => ({ pointer: `#/input${pointer}`, code: 'SCHEMA', message })),
    )
}

type Plan = Choice & { id: string; submitted: string; command: SubmitCommand }

const buildTask = async (ports: Ports, caller: Caller, plan: Plan) => {
  const { id, command } = plan
  const { tenant } = caller
  const now = ports.clock.now()
  const stamped = stamp(caller, 'task.submit')
  const input = await planBody(ports, {
    tenant,
    pk: taskPk(tenant, id),
    sk: 'input',
    value: command.input,
    stamp: stamped,
  })
  const configuration = plan.agent?.configuration
  const deadline = command.deadline ?? Math.max(now, command.runAt ?? 0) + defaultDeadlineMs
  const later = command.runAt !== undefined && command.runAt > now
  const task: Task = {
    id,
    tenant,
    status: later ? 'SCHEDULED' : 'QUEUED',
    capability: plan.capability,
    target: plan.target,
    priority: command.priority ?? configuration?.priority ?? 'normal',
    fairnessKey: actorOf(caller),
    labels: command.labels,
    input: input.body,
    retry: { ...defaultRetry, ...configuration?.retry, ...command.retry },
    timeoutSeconds: command.timeoutSeconds ?? configuration?.timeoutSeconds ?? defaultTimeoutSeconds,
    deadline,
    runAt: command.runAt,
    attempt: 0,
    failures: 0,
    leaseLosses: 0,
    releases: 0,
    epoch: 0,
    seq: 1,
    transition: { seq: 1, to: later ? 'SCHEDULED' : 'QUEUED', at: now },
    blockedBy: plan.target === undefined ? noCapableAgent(plan.capability) : undefined,
    dueAt: Math.min(later ? (command.runAt ?? now) : now + resendMs, deadline),
    createdAt: now,
    submitted: plan.submitted,
    submittedBy: actorOf(caller),
    traceparent: command.traceparent,
    stamp: stamped,
  }
  return { task, items: input.items }
}

const noCapableAgent = (capability: string | undefined) => ({
  code: 'NO_CAPABLE_AGENT',
  message: `no agent offers ${capability}; the task runs as soon as one registers`,
})
