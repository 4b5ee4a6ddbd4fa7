import type { TaskResponse } from '#shared/contracts/tasks.ts'
import type { WhyResponse } from '#shared/contracts/why.ts'
import type { Client } from '../../../client/client.ts'
import { isTerminal } from './check-task.ts'

/** Causes that last until somebody does something: an operator, or the time. */
const lasting = new Set([
  'NO_CAPABLE_AGENT',
  'AGENT_DECOMMISSIONED',
  'AGENT_ERROR_STATE',
  'PAUSED',
  'MAINTENANCE',
  'VERSION_DRAINING',
  'NO_INSTANCE',
  'LIMIT',
  'RATE',
  'BUDGET',
])
/** Causes that last as long as others run, which are looked at themselves. */
const busy = new Set(['ALL_SLOTS_BUSY', 'AFFINITY'])

/** Whether what `why` answers is a reason to wait: not the platform's own next move, which has to come. */
export const isReason = ({ code, evidence }: WhyResponse, { status }: Pick<TaskResponse, 'status'>): boolean =>
  Date.parse(String(evidence.runAt ?? evidence.nextAttemptAt)) > Date.now() ||
  evidence.task !== undefined || // a part of it, which is looked at itself
  lasting.has(code) ||
  (busy.has(code) && Number(evidence.running) > 0) ||
  (code === 'LEASE_LOST' && status === 'QUEUED') // and nobody else could take it

/** Whether a task that has not ended has a reason to wait: it says so, or the platform does when it is asked. */
export const waits = async (client: Pick<Client, 'get'>, task: TaskResponse): Promise<boolean> => {
  if (isTerminal(task.status)) return false
  const isTold = task.blockedBy !== undefined || task.status === 'WAITING'
  return isTold || isReason(await client.get<WhyResponse>(`/tasks/${task.id}/why`), task)
}

/** The same of all; no more is asked once one has none. */
export const allWait = async (client: Pick<Client, 'get'>, tasks: TaskResponse[]): Promise<boolean> => {
  for (const task of tasks) if (!(await waits(client, task))) return false
  return true
}
