import type { Platform } from '../../platform/platform.ts'
import { remind } from '../dispatch/due.ts'
import type { Delivery } from './delivery.ts'
import { findDelivery } from './webhook-store.ts'

type Ports = Pick<Platform, 'queues' | 'clock' | 'telemetry'>

/** Attempts have a queue of their own: a slow receiver holds up no reminder, and by its group no other receiver. */
export const deliveryQueue = 'deliveries'

/** Asks for the attempt that is due. Best effort: the sweep finds what this loses. */
export const sendDelivery = async (ports: Ports, { tenant, id, owner, dueAt }: Delivery): Promise<void> => {
  if (dueAt !== undefined) await remind(ports, { tenant, id, at: dueAt, queue: deliveryQueue, group: owner })
}

/** Asks again for an attempt that nobody made. */
export const resendDelivery = async (
  ports: Ports & Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<void> => {
  const found = await findDelivery(ports, tenant, id)
  if (found !== undefined) await sendDelivery(ports, found.value)
}
