import { isDeepStrictEqual } from 'node:util'
import type { Key, Platform, Stored, Write } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { DomainError } from '../domain-error.ts'
import { type Attempt, measuredKey, readAttempts } from './attempts.ts'
import type { Measured, Task } from './task.ts'
import { addMeasured } from './task-moves.ts'
import { changeTask, getTask } from './task-store.ts'
import { subtractUsage, withMeasured } from './usage-sum.ts'
import { workerInstance } from './worker-instance.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'telemetry' | 'clock' | 'random'>

/** Of the whole attempt, however much of it was reported before. */
export type Measurement = { fence: string; measured: Measured }

/**
 * Records what an attempt that has ended without its holder was measured to use. The task's state is not touched, and
 * what was recorded of the attempt is replaced: told again it counts once.
 */
export const measureAttempt = async (
  ports: Ports,
  caller: Caller,
  id: string,
  { fence, measured }: Measurement,
): Promise<Attempt> => {
  const start = await getTask(ports, caller.tenant, id)
  const attempt = await endedAttempt(ports, caller, { task: start.value, fence })
  const stamped = stamp(caller, 'task.measure')
  const { answer } = await changeTask(ports, start, async (task) => {
    const stored = await ports.main.get<Measured>(measuredKey(task, attempt))
    const known = withMeasured(attempt.usage ?? {}, stored?.value ?? {})
    const usage = withMeasured(known, measured)
    const write = measuredWrite(measuredKey(task, attempt), stored, measured)
    if (write === undefined) return { task, answer: { ...attempt, usage } }
    const next = { ...addMeasured(task, subtractUsage(usage, known)), stamp: stamped }
    return { task: next, writes: [write], answer: { ...attempt, usage } }
  })
  return answer
}

/** `undefined`: that is stored already. */
const measuredWrite = (key: Key, stored: Stored<Measured> | undefined, measured: Measured): Write | undefined => {
  const value = withMeasured(stored?.value ?? {}, measured)
  if (isDeepStrictEqual(value, stored?.value)) return undefined
  const expect = stored ? { rev: stored.rev } : 'absent'
  return { op: 'put', item: { ...key, type: 'measured', value }, expect, untold: true }
}

/** Its holder alone may tell of it, or an administrator; while it runs, its reports tell. */
const endedAttempt = async (
  ports: Ports,
  caller: Caller,
  { task, fence }: { task: Task; fence: string },
): Promise<Attempt> => {
  if (task.lease?.fence === fence)
    throw new DomainError('CONFLICT', `the attempt of task ${task.id} under fence ${fence} has not ended: report it`)
  const attempts = await readAttempts(ports, task)
  const found = attempts.find((attempt) => attempt.fence === fence)
  if (found?.outcome === 'RUNNING' || (found === undefined && attempts.length < task.epoch))
    throw new DomainError('CONTENDED', `the attempts of task ${task.id} are not all recorded yet; try again`)
  const instance = workerInstance(caller)
  if (found === undefined || (instance !== undefined && found.instance !== instance))
    throw new DomainError('NOT_FOUND', `task ${task.id} has no attempt under fence ${fence} of this caller`)
  return found
}
