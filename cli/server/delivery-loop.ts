import { deliver } from '#functions/deliver/deliver.ts'
import { deliveryQueue } from '#shared/domain/webhooks/send-delivery.ts'
import type { Platform, Received } from '#shared/platform/platform.ts'

/** So many attempts are under way at a time. */
const most = 100
/** How long the end of the server waits for attempts; what breaks off is made again by the next one. */
const graceMs = 500

/** Makes deliveries side by side: one whose receiver is slow holds up no other. */
export const createDeliveryLoop = (platform: Platform) => {
  const underWay = new Set<Promise<void>>()

  const attempt = async (message: Received): Promise<void> => {
    const failed = await deliver(platform, [message.body])
    if (failed.length === 0) await platform.queues.delete([message])
  }
  const begin = (message: Received): void => {
    const work = attempt(message)
      .catch((error: unknown) => platform.telemetry.log('error', 'a delivery broke off', { error: String(error) }))
      .finally(() => underWay.delete(work))
    underWay.add(work)
  }

  return {
    async round(signal: AbortSignal): Promise<void> {
      if (underWay.size >= most) await Promise.race(underWay)
      const max = most - underWay.size
      for (const message of await platform.queues.receive({ queues: [deliveryQueue], max, waitSeconds: 20, signal }))
        begin(message)
    },
    async stop(): Promise<void> {
      if (underWay.size > 0) await Promise.race([Promise.all(underWay), platform.clock.sleep(graceMs)])
    },
  }
}
