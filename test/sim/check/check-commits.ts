import { isTerminal } from '#cli/server/faults/check/check-task.ts'
import { compareFences } from '#cli/server/faults/check/fences.ts'
import type { Finding } from '#cli/server/faults/check/history.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import type { World } from '../world/world.ts'

type Step = { before?: Task; after: Task; generation: number }

/** What a worker's call may do to a task, and only under the fence that the task had then. */
const fenced = new Set(['task.complete', 'task.fail', 'task.progress', 'task.wait'])

/** Checks every change of every task at the moment when it was made: what an observer of answers cannot see. */
export const checkCommits = ({ commits, calls, restores, limit = Infinity }: World): Finding[] => {
  const asked = new Map(calls.map((call) => [call.id, call]))
  const highest = new Map<string, string>()
  const findings: Finding[] = []
  const tell = (column: Finding['column'], task: Task, message: string): void => {
    findings.push({ column, task: task.id, message: `${task.id} ${message}` })
  }

  const fences = ({ before, after }: Step): void => {
    const fence = after.lease?.fence
    if (fence === undefined || fence === before?.lease?.fence) return
    const known = highest.get(after.id)
    if (known !== undefined && compareFences(fence, known) <= 0)
      tell(
        fence === known ? 'duplicated' : 'stale_accepted',
        after,
        `was leased under ${fence} when ${known} had been given out`,
      )
    highest.set(after.id, fence)
  }
  const writer = ({ before, after, generation }: Step): void => {
    if (!fenced.has(after.stamp.action)) return
    const call = asked.get(after.stamp.request)
    if (!call?.fence?.startsWith(`${generation}.`))
      tell(
        'stale_accepted',
        after,
        `was changed by ${after.stamp.action} under ${call?.fence} in generation ${generation}`,
      )
    if (call?.fence !== before?.lease?.fence || before?.status !== 'RUNNING')
      tell(
        'stale_accepted',
        after,
        `was changed by ${after.stamp.action} under ${call?.fence}, while ${before?.status} under ${before?.lease?.fence}`,
      )
  }
  const ending = ({ before, after }: Step): void => {
    if (before === undefined || !isTerminal(before.status)) return
    const same =
      before.status === after.status &&
      JSON.stringify([before.result, before.failure]) === JSON.stringify([after.result, after.failure])
    tell(
      'duplicated',
      after,
      same
        ? `was written again after it was ${before.status}`
        : `ended as ${after.status} after it was ${before.status}`,
    )
  }
  const numbers = ({ before, after }: Step): void => {
    if (before && after.seq < before.seq)
      tell('illegal_transition', after, `took event numbers back from ${before.seq} to ${after.seq}`)
    if (after.status === 'RUNNING' && after.lease === undefined)
      tell('illegal_transition', after, 'runs without a lease')
    if (after.status !== 'RUNNING' && after.lease !== undefined)
      tell('illegal_transition', after, `is ${after.status} and has a lease`)
    if (!isTerminal(after.status) && after.dueAt === undefined)
      tell('stuck', after, `is ${after.status}, and nobody will look at it again`)
  }
  const attempts = ({ after }: Step): void => {
    if (after.failures > after.retry.attempts)
      tell('duplicated', after, `failed ${after.failures} times of ${after.retry.attempts}`)
    if (after.leaseLosses > 5) tell('stuck', after, `lost ${after.leaseLosses} leases and was leased again`)
  }
  const running = new Set<string>()
  /** A limit is exact as long as nothing was taken back that had been counted. */
  const limits = ({ before, after }: Step): void => {
    if (after.status !== 'RUNNING') running.delete(after.id)
    else if (before?.status !== 'RUNNING' && running.add(after.id).size > limit && restores.length === 0)
      tell('illegal_transition', after, `is one of ${running.size} that run, where ${limit} may`)
  }
  for (const { before, after, generation } of commits) {
    if (after === undefined) continue
    const step = { before: before?.value as Task | undefined, after: after.value as Task, generation }
    for (const check of [fences, writer, ending, numbers, attempts, limits]) check(step)
  }
  return findings
}
