import type { Platform, Stored } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { DomainError, invalid, orThrow } from '../domain-error.ts'
import { digest, idFor } from '../ids.ts'
import { type IfMatch, requireRev } from '../require-rev.ts'
import { requireKept, requireSame } from '../require-same.ts'
import { type Delivery, redeliver } from './delivery.ts'
import { rotateSecret, secretUnder } from './rotate-secret.ts'
import { sendDelivery } from './send-delivery.ts'
import { type Made, toldAgain, type Webhook } from './webhook.ts'
import {
  changeWebhook,
  createWebhook,
  findDelivery,
  findWebhook,
  getWebhook,
  listWebhooks,
  mostWebhooks,
  saveDelivery,
  saveWebhook,
} from './webhook-store.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random' | 'queues' | 'telemetry' | 'egress'>

export type WebhookCommand = Pick<Webhook, 'url' | 'events' | 'capability' | 'labels' | 'description'>

/** Refuses an address that is not public, naming the field; a name that does not resolve now may do so later. */
export const requireTarget = async (
  { egress }: Pick<Platform, 'egress'>,
  url: string,
  pointer: string,
): Promise<void> => {
  const problem = await egress.problem(url)
  if (problem !== undefined) throw invalid(pointer, 'TARGET', problem)
}

/** `whsec_` and 24 random bytes. */
export const newSecret = ({ random }: Pick<Platform, 'random'>): string =>
  `whsec_${Buffer.from(random.bytes(24)).toString('base64')}`

/** Makes a webhook; `secret` is told here alone. A repeated creation under its key answers the first one, with it for a day. */
export const makeWebhook = async (
  ports: Ports,
  caller: Caller,
  { idempotencyKey, ...command }: WebhookCommand & { idempotencyKey?: string },
): Promise<Made<Webhook>> => {
  const { tenant } = caller
  const created = digest(command)
  const id = idFor('whk', tenant, idempotencyKey, ports)
  const before = idempotencyKey === undefined ? undefined : await findWebhook(ports, tenant, id)
  if (before) return toldAgain(ports, sameOrConflict(before, created, idempotencyKey))
  await requireTarget(ports, command.url, '#/url')
  const known = await listWebhooks(ports, tenant, { limit: mostWebhooks })
  if (known.items.length >= mostWebhooks)
    throw new DomainError(
      'CONFLICT',
      `there are ${mostWebhooks} webhooks already, as many as there can be; delete some`,
    )
  const now = ports.clock.now()
  const secret = newSecret(ports)
  const webhook: Webhook = {
    ...command,
    id,
    tenant,
    secrets: [{ value: secret }],
    state: 'ACTIVE',
    givenUp: 0,
    createdAt: now,
    updatedAt: now,
    created,
    stamp: stamp(caller, 'webhook.create'),
  }
  const existing = await createWebhook(ports, webhook)
  requireKept(`webhook ${id}`, idempotencyKey, existing?.deletedAt !== undefined)
  const stored = sameOrConflict(await getWebhook(ports, tenant, id), created, idempotencyKey)
  return existing === undefined ? { made: stored, secret } : toldAgain(ports, stored)
}

const sameOrConflict = (webhook: Stored<Webhook>, created: string, idempotencyKey?: string): Stored<Webhook> => {
  requireSame(`webhook ${webhook.value.id}`, idempotencyKey, { before: webhook.value.created, now: created })
  return webhook
}

/** With `ifMatch` what the caller saw is changed, and nothing that came after it. */
const changeSeen = async (
  ports: Ports,
  found: Stored<Webhook>,
  ifMatch: IfMatch | undefined,
  change: (webhook: Webhook) => Webhook,
): Promise<Stored<Webhook>> => {
  if (ifMatch === undefined) return changeWebhook(ports, found, change)
  const saved = await saveWebhook(ports, found, change(found.value))
  if (saved) return saved
  throw new DomainError('PRECONDITION_FAILED', `webhook ${found.value.id} was changed meanwhile; read it again`)
}

export type WebhookPatch = Partial<WebhookCommand> & { state?: Webhook['state'] }

/** Changes what is named; enabling it again forgives what was given up. */
export const patchWebhook = async (
  ports: Ports,
  caller: Caller,
  id: string,
  { patch, ifMatch }: { patch: WebhookPatch; ifMatch?: IfMatch },
): Promise<Stored<Webhook>> => {
  const found = await getWebhook(ports, caller.tenant, id)
  requireRev(`webhook ${id}`, found, ifMatch)
  if (patch.url !== undefined) await requireTarget(ports, patch.url, '#/url')
  const enabled = patch.state === 'ACTIVE' ? { givenUp: 0, disabledReason: undefined } : {}
  const disabled = patch.state === 'DISABLED' ? { disabledReason: 'disabled by hand' } : {}
  const about = { updatedAt: ports.clock.now(), stamp: stamp(caller, 'webhook.patch') }
  return changeSeen(ports, found, ifMatch, (webhook) => ({ ...webhook, ...patch, ...enabled, ...disabled, ...about }))
}

/** A new secret, told here alone; under its idempotency key the same again, while it is in force. */
export const rotateWebhook = async (
  ports: Ports,
  caller: Caller,
  id: string,
  { idempotencyKey }: { idempotencyKey?: string } = {},
): Promise<{ webhook: Webhook; secret: string }> => {
  const key = idempotencyKey === undefined ? undefined : digest(idempotencyKey)
  const secret = newSecret(ports)
  const now = ports.clock.now()
  const about = { updatedAt: now, stamp: stamp(caller, 'webhook.rotate') }
  const found = await getWebhook(ports, caller.tenant, id)
  const { value } = await changeWebhook(ports, found, (webhook) => {
    const rotated = orThrow(rotateSecret(webhook, { value: secret, key }, now))
    return rotated === webhook ? webhook : { ...rotated, ...about }
  })
  return { webhook: value, secret: secretUnder(value, key)?.value ?? secret }
}

/** What was on its way to it is not sent any more. */
export const deleteWebhook = async (ports: Ports, caller: Caller, id: string, ifMatch?: IfMatch): Promise<void> => {
  const found = await getWebhook(ports, caller.tenant, id)
  requireRev(`webhook ${id}`, found, ifMatch)
  const deletedAt = ports.clock.now()
  const about = { deletedAt, updatedAt: deletedAt, stamp: stamp(caller, 'webhook.delete') }
  await changeSeen(ports, found, ifMatch, (webhook) => ({ ...webhook, secrets: [], ...about }))
}

/** Nothing is sent to one that is disabled; the callback of a task cannot be. */
const requireEnabled = async (ports: Ports, tenant: string, owner: string): Promise<void> => {
  const webhook = (await findWebhook(ports, tenant, owner))?.value
  if (webhook?.state === 'DISABLED')
    throw new DomainError('CONFLICT', `webhook ${owner} is DISABLED and takes nothing; set its state to ACTIVE first`)
}

/** Sends a delivery once more, now; under its idempotency key the same call again sends nothing. */
export const redeliverNow = async (
  ports: Ports,
  tenant: string,
  { owner, id, idempotencyKey }: { owner: string; id: string; idempotencyKey?: string },
): Promise<Delivery> => {
  await requireEnabled(ports, tenant, owner)
  const key = idempotencyKey === undefined ? undefined : digest(idempotencyKey)
  const found = await findDelivery(ports, tenant, id)
  if (found === undefined || found.value.owner !== owner)
    throw new DomainError('NOT_FOUND', `there is no delivery ${id} of ${owner}`)
  const next = redeliver(found.value, ports.clock.now(), key)
  if (next === found.value) return next
  const saved = await saveDelivery(ports, found, next)
  if (saved === undefined) throw new DomainError('CONFLICT', `delivery ${id} is being made just now; try again`)
  await sendDelivery(ports, next)
  return saved.value
}
