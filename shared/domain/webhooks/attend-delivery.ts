import type { Platform, Stored } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { findTask } from '../tasks/task-store.ts'
import { loadCallback } from './callback.ts'
import { beginAttempt, type Delivery, type DeliveryAttempt, endAttempt, succeeded } from './delivery.ts'
import { sendDelivery } from './send-delivery.ts'
import { afterDelivery, signingSecrets } from './webhook.ts'
import { changeWebhook, findDelivery, findWebhook, saveDelivery } from './webhook-store.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'clock' | 'random' | 'queues' | 'telemetry' | 'egress'>

/** `<version>,<signature>` of `<id>.<timestamp>.<body>`. https://www.standardwebhooks.com */
export type Sign = (secret: string, message: { id: string; at: number; body: string }) => string

const timeoutMs = 15_000
const keptAnswer = 1024

type Receiver = { url: string; secrets: string[] }

/** Makes the attempt that is due. Two that are reminded at once make one, unless one of them takes a minute. */
export const attendDelivery = async (ports: Ports, tenant: string, id: string, sign: Sign): Promise<void> => {
  const found = await findDelivery(ports, tenant, id)
  const begun = found && beginAttempt(found.value, ports.clock.now())
  if (found === undefined || begun === undefined) return
  const receiver = await receiverOf(ports, begun)
  if (receiver === undefined) {
    await saveDelivery(ports, found, { ...begun, state: 'CANCELLED', dueAt: undefined })
    return
  }
  const held = await saveDelivery(ports, found, begun)
  if (held === undefined) return
  await settle(ports, held, await attempt(ports, begun, receiver, sign))
}

/** Where it goes; `undefined` when nobody wants it any more. */
const receiverOf = async (ports: Ports, { tenant, owner }: Delivery): Promise<Receiver | undefined> => {
  if (owner.startsWith('tsk')) {
    const task = (await findTask(ports, tenant, owner))?.value
    const callback = task && (await loadCallback(ports, task))
    return callback && { url: callback.url, secrets: callback.secret === undefined ? [] : [callback.secret] }
  }
  const webhook = (await findWebhook(ports, tenant, owner))?.value
  if (webhook === undefined || webhook.state === 'DISABLED') return undefined
  return { url: webhook.url, secrets: signingSecrets(webhook, ports.clock.now()) }
}

const attempt = async (
  { egress, clock }: Ports,
  { id, event }: Delivery,
  { url, secrets }: Receiver,
  sign: Sign,
): Promise<DeliveryAttempt> => {
  const at = clock.now()
  const body = JSON.stringify(event)
  try {
    const signatures = secrets.map((secret) => sign(secret, { id, at, body }))
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': 'DevCycle-Webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at / 1000)),
      ...(signatures.length > 0 && { 'webhook-signature': signatures.join(' ') }),
    }
    const answer = await egress.post({ url, headers, body, timeoutMs })
    return { at, ms: clock.now() - at, status: answer.status, answer: answer.body.slice(0, keptAnswer) }
  } catch (error) {
    return { at, ms: clock.now() - at, error: (error as Error).message }
  }
}

const settle = async (ports: Ports, held: Stored<Delivery>, made: DeliveryAttempt): Promise<void> => {
  const next = endAttempt(held.value, made, { now: ports.clock.now(), random: ports.random.number() })
  const saved = await saveDelivery(ports, held, next)
  if (saved === undefined) return // asked for again meanwhile
  if (next.dueAt !== undefined) await sendDelivery(ports, next)
  else await tellWebhook(ports, next, made)
}

const tellWebhook = async (ports: Ports, { tenant, owner }: Delivery, { status }: DeliveryAttempt): Promise<void> => {
  const webhook = await findWebhook(ports, tenant, owner)
  if (webhook === undefined) return
  const end = succeeded(status) ? 'DELIVERED' : status === 410 ? 'GONE' : 'FAILED'
  await changeWebhook(ports, webhook, (current) => {
    const next = afterDelivery(current, end)
    return next === current ? current : { ...next, stamp: systemStamp('webhook.delivery') }
  })
}
