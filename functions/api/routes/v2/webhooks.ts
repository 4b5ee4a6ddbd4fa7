import type { OperationOf } from '#shared/contracts/operations.ts'
import type { DeliveryResponse, PatchWebhook, WebhookResponse } from '#shared/contracts/webhooks.ts'
import { getTask } from '#shared/domain/tasks/task-store.ts'
import {
  deleteWebhook,
  makeWebhook,
  patchWebhook,
  redeliverNow,
  rotateWebhook,
  type WebhookPatch,
} from '#shared/domain/webhooks/change-webhook.ts'
import type { Delivery } from '#shared/domain/webhooks/delivery.ts'
import type { Webhook } from '#shared/domain/webhooks/webhook.ts'
import { getWebhook, listDeliveries, listWebhooks } from '#shared/domain/webhooks/webhook-store.ts'
import type { Stored } from '#shared/platform/platform.ts'
import { idempotencyKey, ifMatch, iso, toETag } from '../../headers.ts'
import type { Handler, Reply } from '../../operation.ts'

const toWebhook = (webhook: Webhook, secret?: string): WebhookResponse => {
  const { id, url, events, capability, labels, description, state, disabledReason, createdAt, updatedAt } = webhook
  const [until] = webhook.secrets.flatMap((one) => one.until ?? [])
  return {
    id,
    url,
    events,
    capability,
    labels,
    description,
    state,
    disabledReason,
    ...(secret !== undefined && { secret }),
    ...(until !== undefined && { previousSecretUntil: iso(until) }),
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  }
}

const reply = (status: number, { value, rev }: Stored<Webhook>, secret?: string): Reply => ({
  status,
  body: toWebhook(value, secret),
  headers: { etag: toETag(rev), ...(status === 201 && { location: `/api/v2/webhooks/${value.id}` }) },
})

const toDelivery = ({ id, event, state, attempts, dueAt, createdAt }: Delivery): DeliveryResponse => ({
  id,
  event,
  state,
  attempts: attempts.map((attempt) => ({ ...attempt, at: iso(attempt.at) })),
  ...(dueAt !== undefined && { nextAttemptAt: iso(dueAt) }),
  createdAt: iso(createdAt),
})

const create: Handler<OperationOf<'createWebhook'>> = async ({ platform }, { caller, body, headers }) => {
  const { made, secret } = await makeWebhook(platform, caller, { ...body, idempotencyKey: idempotencyKey(headers) })
  return reply(201, made, secret)
}

const list: Handler<OperationOf<'listWebhooks'>> = async ({ platform }, { caller, query }) => {
  const page = await listWebhooks(platform, caller.tenant, query)
  return {
    status: 200,
    body: { items: page.items.map(({ value }) => toWebhook(value)), nextCursor: page.cursor ?? null },
  }
}

const get: Handler<OperationOf<'getWebhook'>> = async ({ platform }, { caller, params }) =>
  reply(200, await getWebhook(platform, caller.tenant, params.webhook ?? ''))

/** `null` takes a field off. */
const toPatch = ({ capability, labels, description, ...rest }: PatchWebhook): WebhookPatch => ({
  ...rest,
  ...(capability !== undefined && { capability: capability ?? undefined }),
  ...(labels !== undefined && { labels: labels ?? undefined }),
  ...(description !== undefined && { description: description ?? undefined }),
})

const patch: Handler<OperationOf<'patchWebhook'>> = async ({ platform }, { caller, params, body, headers }) => {
  const wish = { patch: toPatch(body), ifMatch: ifMatch(headers) }
  return reply(200, await patchWebhook(platform, caller, params.webhook ?? '', wish))
}

const remove: Handler<OperationOf<'deleteWebhook'>> = async ({ platform }, { caller, params, headers }) => {
  await deleteWebhook(platform, caller, params.webhook ?? '', ifMatch(headers))
  return { status: 204 }
}

const rotate: Handler<OperationOf<'rotateWebhookSecret'>> = async ({ platform }, { caller, params, headers }) => {
  const command = { idempotencyKey: idempotencyKey(headers) }
  const { webhook, secret } = await rotateWebhook(platform, caller, params.webhook ?? '', command)
  return { status: 200, body: toWebhook(webhook, secret) }
}

const deliveries: Handler<OperationOf<'listDeliveries'>> = async ({ platform }, { caller, params, query }) => {
  const { webhook: owner = '' } = params
  const exists = owner.startsWith('tsk') ? getTask : getWebhook
  await exists(platform, caller.tenant, owner)
  const page = await listDeliveries(platform, { tenant: caller.tenant, owner, ...query })
  return {
    status: 200,
    body: { items: page.items.map(({ value }) => toDelivery(value)), nextCursor: page.cursor ?? null },
  }
}

const redeliver: Handler<OperationOf<'redeliver'>> = async ({ platform }, { caller, params, headers }) => {
  const { webhook: owner = '', delivery: id = '' } = params
  const wish = { owner, id, idempotencyKey: idempotencyKey(headers) }
  return { status: 202, body: toDelivery(await redeliverNow(platform, caller.tenant, wish)) }
}

export const webhookHandlers = {
  createWebhook: create,
  listWebhooks: list,
  getWebhook: get,
  patchWebhook: patch,
  deleteWebhook: remove,
  rotateWebhookSecret: rotate,
  listDeliveries: deliveries,
  redeliver,
}
