import type { Item } from '../../platform/platform.ts'
import { type Published, planPublication, publish, remindOf } from '../topics/publish.ts'
import { writeAll } from '../write-all.ts'
import type { Message } from './message.ts'
import { createMessage, messagePuts } from './message-store.ts'

/**
 * Stores a message and puts it on its topic in one write: one that is there is on its topic, and whoever receives it
 * finds it. The same again stays as it is; where one of the two is there alone, the other one is added.
 */
export const publishMessage = async (
  ports: Parameters<typeof publish>[0],
  message: Message,
  items: Item[],
  published: Published,
): Promise<void> => {
  const { tenant, stamp } = message
  const { publication, puts } = await planPublication(ports, tenant, published, stamp)
  const outcome = await writeAll(ports.main, [...messagePuts(ports, message, items), ...puts])
  if (outcome.ok) return remindOf(ports, publication)
  await publish(ports, tenant, published, stamp)
  await createMessage(ports, message, items)
}
