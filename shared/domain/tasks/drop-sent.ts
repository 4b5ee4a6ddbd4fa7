import type { Platform, Received } from '../../platform/platform.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import type { Instance } from '../instances/instance.ts'

const batch = 100
/** So many messages of others one looks through: on a host that keeps none for an instance anybody may drop these. */
const mostOthers = 1000

/**
 * Takes the messages of tasks that went elsewhere out of the lanes of an instance that is gone: what was kept for it nobody
 * receives, and it would count as work of its agent.
 */
export const dropSent = async (
  { queues }: Pick<Platform, 'queues'>,
  instance: Instance,
  tasks: string[],
): Promise<void> => {
  const lanes = laneQueues(instance.tenant, instance).map(({ queue }) => queue)
  const wanted = new Set(tasks)
  const others: Received[] = []
  try {
    while (wanted.size > 0 && others.length < mostOthers) {
      const received = await queues.receive({ queues: lanes, max: batch, receiver: instance.id, waitSeconds: 0 })
      if (received.length === 0) return
      const theirs = received.filter(({ body }) => wanted.delete(body))
      others.push(...received.filter((one) => !theirs.includes(one)))
      await queues.delete(theirs)
    }
  } finally {
    await queues.release(others)
  }
}
