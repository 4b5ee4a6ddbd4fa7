import { isFinished, maxAttemptsOf, type Task } from '../tasks/task.ts'
import { type Cause, iso, type WhyCode } from './cause.ts'

const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1000))} s`

const ended: Cause = ({ task }) => {
  if (!isFinished(task)) return undefined
  const { failure, transition, attempt, finishedAt } = task
  const evidence = { attempt, maxAttempts: maxAttemptsOf(task), finishedAt: iso(finishedAt ?? transition.at) }
  if (task.status === 'SUCCEEDED')
    return { code: 'SUCCEEDED', message: 'it succeeded', evidence, wouldChange: 'nothing is in its way' }
  if (task.status === 'CANCELLED')
    return {
      code: 'CANCELLED',
      message: `it was ${transition.message ?? 'cancelled'}`,
      evidence: { ...evidence, by: task.stamp.actor },
      wouldChange: 'retry it: that makes a new task',
    }
  const code = failure && isOfPlatform(task, failure.code) ? (failure.code as WhyCode) : 'AGENT_ERROR'
  return {
    code,
    message: `it failed with ${failure?.code}: ${failure?.message}`,
    evidence: { ...evidence, failure, failures: task.failures, leaseLosses: task.leaseLosses },
    wouldChange: (transition.from === 'WAITING' ? unansweredCauses[code] : undefined) ?? failureCauses[code] ?? '',
  }
}

/** The same of a task that waited for an answer when it failed. */
const unansweredCauses: Partial<Record<string, string>> = {
  TIMEOUT: 'retry it, and give it its answer in time; its agent may ask with a longer expiresInSeconds',
  DEADLINE: 'it waited for an answer: submit it again, and answer in time or set a later deadline',
}

/** Codes that only the platform finds; an agent that gives one means something of its own. */
const foundByPlatform = ['DEADLINE', 'LEASE_LOST', 'POISON', 'BUDGET', 'REJECTED', 'NO_CAPABLE_AGENT']

const isOfPlatform = ({ stamp, crashes = 0 }: Task, code: string): boolean => {
  const told = stamp.action === 'task.fail' && !(code === 'POISON' && crashes > 0)
  return code in failureCauses && !(told && foundByPlatform.includes(code))
}

/** What would have to be otherwise, by the code of the failure. */
const failureCauses: Partial<Record<string, string>> = {
  AGENT_ERROR: 'mend what the message says, then retry it',
  TIMEOUT: 'give it more timeoutSeconds, or find out what it hangs on, then retry it',
  DEADLINE: 'submit it with a later deadline, or give its agent more slots',
  LEASE_LOST: 'find out why its instances vanish, then retry it',
  POISON: 'its attempts took their process or instance with them: look at its input, then retry it',
  BUDGET: 'submit it again with a larger budget',
  RESOURCE_LIMIT: 'give its agent a larger resource class, or it a smaller input, then retry it',
  REJECTED: 'ask whoever rejected it, then retry it',
  NO_CAPABLE_AGENT: 'start an agent that offers its capability, then retry it',
}

const running: Cause = ({ task, now, leaseUntil = 0 }) => {
  const { lease } = task
  if (task.status !== 'RUNNING' || lease === undefined) return undefined
  const evidence = {
    instance: lease.instance,
    since: iso(lease.since),
    attempt: task.attempt,
    timeoutAt: iso(lease.timeoutAt),
    ...(task.progress && { progress: task.progress }),
  }
  if (leaseUntil > now)
    return {
      code: 'RUNNING',
      message: `it runs on ${lease.instance} for ${seconds(now - lease.since)}`,
      evidence: { ...evidence, leaseUntil: iso(leaseUntil) },
      wouldChange: `its end, or its time-out at ${iso(lease.timeoutAt)}`,
    }
  return {
    code: 'LEASE_LOST',
    message: `instance ${lease.instance} that runs it gives no sign of life`,
    evidence,
    wouldChange: 'the sweep takes it back within a minute, and it runs again',
  }
}

const waiting: Cause = ({ task, approval }) => {
  const { waiting: what } = task
  if (task.status !== 'WAITING' || what === undefined) return undefined
  const until = iso(what.expiresAt)
  const evidence = { prompt: what.prompt, since: iso(what.since), expiresAt: until }
  if (what.kind === 'input')
    return {
      code: 'WAITING_FOR_INPUT',
      message: `it waits for input until ${until}`,
      evidence,
      wouldChange: `POST /tasks/${task.id}/input with a response`,
    }
  const { approvers = [], quorum = 1, approvedBy = [], state } = approval ?? {}
  const whose = approvers.length > 0 ? approvers.join(', ') : 'anybody who may decide'
  const so = approvedBy.length > 0 ? `, and ${approvedBy.join(', ')} approved` : ''
  return {
    code: 'WAITING_FOR_APPROVAL',
    message: `it waits for ${quorum > 1 ? `${quorum} approvals` : 'the approval'} of ${whose} until ${until}${so}`,
    evidence: { ...evidence, approval: what.approval, approvers, quorum, approvedBy, state },
    wouldChange: `POST /approvals/${what.approval}/approve${quorum > 1 ? ` with ${quorum} different keys,` : ''} or /reject`,
  }
}

const scheduled: Cause = ({ task }) => {
  if (task.status !== 'SCHEDULED') return undefined
  const at = iso(task.dueAt ?? task.deadline)
  if (task.failures === 0)
    return {
      code: 'START_TIME',
      message: `it starts at ${at}`,
      evidence: { runAt: at },
      wouldChange: 'the time, or a new task with an earlier runAt',
    }
  return {
    code: 'BACK_OFF',
    message: `attempt ${task.attempt} of ${maxAttemptsOf(task)} failed with ${task.failure?.code}; the next one starts at ${at}`,
    evidence: { nextAttemptAt: at, attempt: task.attempt, maxAttempts: maxAttemptsOf(task), failure: task.failure },
    wouldChange: `the time, or POST /tasks/${task.id}/retry to start it now`,
  }
}

/** Of a task that has ended, runs, waits for somebody, or for its time. */
export const settledCauses: Cause[] = [ended, running, waiting, scheduled]
