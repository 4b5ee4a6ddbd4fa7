import { attendEach } from '#functions/sweep/attend-each.ts'
import { attendDelivery } from '#shared/domain/webhooks/attend-delivery.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { signWebhook } from './sign-webhook.ts'

/** Makes the attempts that the queue of deliveries names. Answers those that must come again. */
export const deliver = (platform: Platform, bodies: string[]): Promise<string[]> =>
  attendEach(platform, bodies, (ports, tenant, id) => attendDelivery(ports, tenant, id, signWebhook))
