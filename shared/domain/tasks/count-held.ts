import type { Platform } from '../../platform/platform.ts'
import type { Instance } from '../instances/instance.ts'
import { instanceHolderPk } from './holders.ts'
import type { Task } from './task.ts'

/** How many tasks an instance holds now; a heartbeat tells it late. */
export const countHeld = async (
  { main }: Pick<Platform, 'main'>,
  { tenant, id, slots }: Pick<Instance, 'tenant' | 'id' | 'slots'>,
): Promise<number> => {
  const page = await main.query<Task>({ index: 'holder', pk: instanceHolderPk(tenant, id), limit: slots })
  return page.items.filter(({ value }) => value.lease?.instance === id).length
}
