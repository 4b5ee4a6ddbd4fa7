import type { Platform } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { orThrow } from '../domain-error.ts'
import { digest } from '../ids.ts'
import type { Failure, StoredAnswer } from './task.ts'
import { failTask as fail, requireFence } from './task-moves.ts'
import { changeTask, getTask } from './task-store.ts'
import { writerOf } from './worker-instance.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry' | 'generation'>

/** Ends the attempt under its fence; the retry policy decides about another one. A repeated call gets the stored answer. */
export const failTask = async (
  ports: Ports,
  caller: Caller,
  id: string,
  { fence, ...failure }: Failure & { fence: string },
): Promise<StoredAnswer> => {
  const body = digest(failure)
  const stamped = stamp(caller, 'task.fail')
  const start = await getTask(ports, caller.tenant, id)
  const random = ports.random.number()
  const { task, answer } = await changeTask(ports, start, (current) => {
    const stored = current.answer
    if (stored?.fence === fence && stored.digest === body) return { task: current, answer: stored }
    const held = orThrow(requireFence(current, fence, writerOf(ports, caller)))
    const next = fail(held, { failure, digest: body, now: ports.clock.now(), random })
    return { task: { ...next, stamp: stamped }, answer: next.answer ?? { fence, digest: body } }
  })
  if (task.status === 'SCHEDULED' && task.dueAt !== undefined)
    await remind(ports, { tenant: task.tenant, id, at: task.dueAt })
  return answer
}
