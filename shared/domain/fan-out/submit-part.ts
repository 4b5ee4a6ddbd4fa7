import type { Caller } from '../caller.ts'
import { submitTask } from '../tasks/submit-task.ts'
import type { Task } from '../tasks/task.ts'
import type { FanOut } from './fan-out.ts'
import { rowKey } from './fan-out-store.ts'
import { type FanOutPorts, type FanOutTools, problemOf } from './submit-rows.ts'

type Part = 'split' | 'join'
type Failure = { code: string; message: string }

const does: Record<Part, string> = { split: 'makes its shards', join: 'joins its shards' }

/** Submits the task that makes the shards, or the one that joins their results; or says why it can be none. */
export const submitPart = async (
  ports: FanOutPorts,
  tools: FanOutTools,
  fan: FanOut,
  { part, body }: { part: Part; body: unknown },
): Promise<{ task: string } | { failure: Failure }> => {
  const caller: Caller = { tenant: fan.tenant, principal: fan.by, requestId: fan.id }
  const place = { parent: fan.task, batch: { id: fan.id, row: part }, idempotencyKey: rowKey(fan, part) }
  try {
    const command = { ...tools.readSubmit(body), ...place }
    return { task: (await submitTask(ports, caller, command, tools.checkInput)).id }
  } catch (error) {
    const why = problemOf(error)
    if (why === undefined) throw error
    const message = `the task that ${does[part]} was refused: ${why.code}: ${why.message}`
    return { failure: { code: why.code, message } }
  }
}

/** Why a task that had to end first did not bring what it should. */
export const partFailure = (part: Part, task: Task | undefined): Failure => {
  if (task === undefined) return { code: 'AGENT_ERROR', message: `the task that ${does[part]} is gone` }
  const { code, message } = task.failure ?? { code: 'AGENT_ERROR', message: `it is ${task.status}` }
  return { code, message: `task ${task.id}, which ${does[part]}: ${message}` }
}
