import { Webhook } from 'standardwebhooks'
import type { Sign } from '#shared/domain/webhooks/attend-delivery.ts'

/** By Standard Webhooks: HMAC-SHA256 with the secret's bytes. */
export const signWebhook: Sign = (secret, { id, at, body }) => new Webhook(secret).sign(id, new Date(at), body)
