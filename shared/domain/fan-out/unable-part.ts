import type { Platform } from '../../platform/platform.ts'
import type { Task } from '../tasks/task.ts'
import { findTask } from '../tasks/task-store.ts'
import type { Unable } from '../tasks/task-time.ts'
import { findFanOut } from './fan-out-store.ts'

const whatOf = { split: 'make its shards', join: 'join its shards' }

/** The part that a distributed task waits for, where no agent can do that; it may have failed just before. */
export const unablePart = async (
  ports: Pick<Platform, 'main'>,
  { tenant, fanOut }: Task,
): Promise<Unable | undefined> => {
  const { waitsFor } = (fanOut && (await findFanOut(ports, tenant, fanOut.id))?.value) ?? {}
  const part = waitsFor && (await findTask(ports, tenant, waitsFor.task))?.value
  const why = part?.blockedBy ?? part?.failure
  if (waitsFor === undefined || why?.code !== 'NO_CAPABLE_AGENT') return undefined
  return { message: why.message, what: whatOf[waitsFor.part] }
}
