import type { Platform } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import { chargeCompletion } from '../budgets/charge.ts'
import { type Caller, stamp } from '../caller.ts'
import { orThrow } from '../domain-error.ts'
import { digest } from '../ids.ts'
import { requireContent } from '../objects/object-ref.ts'
import type { Task, Usage } from './task.ts'
import { completeTask as complete, overspend, requireFence } from './task-moves.ts'
import { changeTask, getTask, taskPk } from './task-store.ts'
import { writerOf } from './worker-instance.ts'

export type Completion = {
  fence: string
  result?: unknown
  usage?: Usage
  artifacts?: { name: string; $ref: string }[]
}

type Ports = Pick<
  Platform,
  'main' | 'volatile' | 'queues' | 'telemetry' | 'objects' | 'clock' | 'random' | 'generation'
>

/** Records the result once, under the current fence. Repeated with the same fence and body it answers the stored task. */
export const completeTask = async (ports: Ports, caller: Caller, id: string, completion: Completion): Promise<Task> => {
  const { tenant } = caller
  const body = digest(completion)
  const start = await getTask(ports, tenant, id)
  if (isRepeated(start.value, completion.fence, body)) return start.value
  orThrow(requireFence(start.value, completion.fence, writerOf(ports, caller)))
  await requireContent(ports, tenant, { value: completion.result, pointer: '#/result' })
  const stamped = stamp(caller, 'task.complete')
  const sk = `result#${completion.fence}`
  const planned = await planBody(ports, {
    tenant,
    pk: taskPk(tenant, id),
    sk,
    value: completion.result,
    stamp: stamped,
  })
  const changed = await changeTask(ports, start, async (task) => {
    if (isRepeated(task, completion.fence, body)) return { task, answer: undefined }
    const held = orThrow(requireFence(task, completion.fence, writerOf(ports, caller)))
    const { usage } = completion
    const { spent, checks: writes } = await chargeCompletion(ports, held, usage)
    const now = ports.clock.now()
    if (spent !== undefined)
      return {
        task: { ...overspend(held, { message: spent, now, usage, digest: body }), stamp: stamped },
        writes,
        answer: undefined,
      }
    const next = complete(held, { result: planned.body, digest: body, usage, now })
    return {
      task: { ...next, artifacts: completion.artifacts, stamp: stamped },
      items: planned.items,
      writes,
      answer: undefined,
    }
  })
  return changed.task
}

const isRepeated = ({ answer, status, failure }: Task, fence: string, body: string): boolean =>
  (status === 'SUCCEEDED' || (status === 'FAILED' && failure?.code === 'BUDGET')) &&
  answer?.fence === fence &&
  answer.digest === body
