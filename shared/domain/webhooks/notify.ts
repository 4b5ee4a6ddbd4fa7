import type { CloudEvent, Platform } from '../../platform/platform.ts'
import { idFromKey } from '../ids.ts'
import type { Task } from '../tasks/task.ts'
import { loadCallback } from './callback.ts'
import type { Delivery } from './delivery.ts'
import { sendDelivery } from './send-delivery.ts'
import { shortType, wants } from './webhook.ts'
import { allWebhooks, createDelivery } from './webhook-store.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'clock' | 'random' | 'queues' | 'telemetry'>

/**
 * Makes a delivery of an event for each webhook that wants it. Told of the same event again it makes none anew. A
 * webhook that was made within the last moments may not be told yet.
 */
export const notifyWebhooks = async (ports: Ports, event: CloudEvent): Promise<void> => {
  const owners = (await allWebhooks(ports, event.tenantid)).filter((webhook) => wants(webhook, event))
  await Promise.all(owners.map(({ id }) => deliver(ports, event, id)))
}

/** The same for the callback that a task was submitted with. */
export const notifyCallback = async (ports: Ports, task: Task, event: CloudEvent): Promise<void> => {
  const callback = await loadCallback(ports, task)
  if (callback === undefined) return
  if (callback.events && !callback.events.includes(shortType(event.type))) return
  await deliver(ports, event, task.id)
}

const deliver = async (ports: Ports, event: CloudEvent, owner: string): Promise<void> => {
  await deliverTo(ports, event, { owner, key: event.id })
}

/** Makes a delivery of an event to one receiver, once for each `key`. Answers its id. */
export const deliverTo = async (
  ports: Omit<Ports, 'objects'>,
  event: CloudEvent,
  { owner, key }: { owner: string; key: string },
): Promise<string> => {
  const { tenantid: tenant } = event
  const now = ports.clock.now()
  const id = idFromKey('dlv', tenant, `${owner}:${key}`)
  const delivery: Delivery = {
    id,
    tenant,
    owner,
    event,
    state: 'PENDING',
    attempts: [],
    round: 0,
    dueAt: now,
    createdAt: now,
  }
  await createDelivery(ports, delivery)
  await sendDelivery(ports, delivery)
  return id
}
