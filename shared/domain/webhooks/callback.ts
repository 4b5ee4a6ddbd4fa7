import type { Platform } from '../../platform/platform.ts'
import { loadBody } from '../bodies/body.ts'
import type { Task } from '../tasks/task.ts'
import { taskPk } from '../tasks/task-store.ts'
import type { DeliveryState } from './delivery.ts'
import { listDeliveries } from './webhook-store.ts'

/** Who is told of the end of one task; without `events` whichever end it is. */
export type Callback = { url: string; events?: string[]; secret?: string }

/** The callback that a task was submitted with. */
export const loadCallback = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  { tenant, id, callback }: Task,
): Promise<Callback | undefined> =>
  callback && ((await loadBody(ports, { tenant, pk: taskPk(tenant, id), body: callback })) as Callback)

/** Where a task calls back, and what became of it; `state` once there was something to tell. */
export const describeCallback = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  task: Task,
): Promise<{ url: string; state?: DeliveryState } | undefined> => {
  const callback = await loadCallback(ports, task)
  if (callback === undefined) return undefined
  const { items } = await listDeliveries(ports, { tenant: task.tenant, owner: task.id, limit: 1 })
  const [delivery] = items
  return { url: callback.url, ...(delivery && { state: delivery.value.state }) }
}
