import type { Item, Key, Page, Platform, Stored } from '../../platform/platform.ts'
import { changeStored, saveItem } from '../contention.ts'
import { dueIndex } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { sortableTime } from '../keys.ts'
import type { Delivery } from './delivery.ts'
import type { Webhook } from './webhook.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>
type Paging = { limit: number; cursor?: string }

const webhookKey = (tenant: string, id: string): Key => ({ pk: `${tenant}#webhook#${id}`, sk: 'head' })
const webhooksPk = (tenant: string): string => `${tenant}#webhooks`
const deliveryKey = (tenant: string, id: string): Key => ({ pk: `${tenant}#delivery#${id}`, sk: 'head' })
const deliveriesPk = (tenant: string, owner: string): string => `${tenant}#deliveries#${owner}`

/** Deliveries are forgotten after this time. */
const keepMs = 30 * 24 * 3_600_000

const webhookItem = (webhook: Webhook): Item<Webhook> => ({
  ...webhookKey(webhook.tenant, webhook.id),
  type: 'webhook',
  value: webhook,
  ...(webhook.deletedAt === undefined && {
    index: { parent: { pk: webhooksPk(webhook.tenant), sk: `${sortableTime(webhook.createdAt)}#${webhook.id}` } },
  }),
})

const deliveryItem = (delivery: Delivery): Item<Delivery> => {
  const { tenant, id, owner, createdAt, dueAt } = delivery
  return {
    ...deliveryKey(tenant, id),
    type: 'delivery',
    value: delivery,
    index: {
      parent: { pk: deliveriesPk(tenant, owner), sk: `${sortableTime(createdAt)}#${id}` },
      ...(dueAt !== undefined && { due: dueIndex(dueAt, tenant, id) }),
    },
    expiresAt: createdAt + keepMs,
  }
}

/** Stores a new webhook. `undefined`: stored; else the one that has this id already. */
export const createWebhook = async (ports: Ports, webhook: Webhook): Promise<Webhook | undefined> => {
  const write = { op: 'put', item: webhookItem(webhook), expect: 'absent', rev: newRev(ports) } as const
  const outcome = await ports.main.write(write)
  return outcome.ok ? undefined : (outcome.conflicts[0]?.current as Stored<Webhook> | undefined)?.value
}

export const findWebhook = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Webhook> | undefined> => {
  const found = await main.get<Webhook>(webhookKey(tenant, id))
  return found?.value.deletedAt === undefined ? found : undefined
}

/** The webhook, or `NOT_FOUND`. */
export const getWebhook = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Webhook>> => {
  const found = await findWebhook(ports, tenant, id)
  if (found === undefined) throw new DomainError('NOT_FOUND', `there is no webhook ${id}`)
  return found
}

/** Loads, changes and saves until no one else came first. */
export const changeWebhook = (
  ports: Ports,
  start: Stored<Webhook>,
  change: (webhook: Webhook) => Webhook,
): Promise<Stored<Webhook>> =>
  changeStored(ports, { table: ports.main, start, what: `webhook ${start.value.id}` }, change, webhookItem)

/** Saves a changed webhook if nobody else did; `undefined`: somebody came first. */
export const saveWebhook = (
  ports: Ports,
  found: Pick<Stored, 'rev'>,
  webhook: Webhook,
): Promise<Stored<Webhook> | undefined> => saveItem(ports, found, webhookItem(webhook))

/** All of a tenant, newest first: a few more than the most when several were made at once. */
export const allWebhooks = async (ports: Pick<Platform, 'main'>, tenant: string): Promise<Webhook[]> => {
  const all: Webhook[] = []
  let cursor: string | undefined
  do {
    const page = await listWebhooks(ports, tenant, { limit: mostWebhooks, cursor })
    all.push(...page.items.map(({ value }) => value))
    cursor = page.cursor
  } while (cursor !== undefined)
  return all
}

/** Newest first. */
export const listWebhooks = ({ main }: Pick<Platform, 'main'>, tenant: string, page: Paging): Promise<Page<Webhook>> =>
  main.query<Webhook>({ index: 'parent', pk: webhooksPk(tenant), order: 'descending', ...page })

/** A tenant has so many at most. */
export const mostWebhooks = 200

/** Stores a new delivery; one that is there already stays as it is. */
export const createDelivery = async (ports: Ports, delivery: Delivery): Promise<void> => {
  await ports.main.write({ op: 'put', item: deliveryItem(delivery), expect: 'absent', rev: newRev(ports) })
}

export const findDelivery = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Delivery> | undefined> => main.get<Delivery>(deliveryKey(tenant, id))

/** Saves a changed delivery if nobody else did; `undefined`: somebody did. */
export const saveDelivery = (
  ports: Ports,
  found: Pick<Stored, 'rev'>,
  delivery: Delivery,
): Promise<Stored<Delivery> | undefined> => saveItem(ports, found, deliveryItem(delivery))

/** Of a webhook or of a task's callback, newest first. */
export const listDeliveries = (
  { main }: Pick<Platform, 'main'>,
  { tenant, owner, ...page }: Paging & { tenant: string; owner: string },
): Promise<Page<Delivery>> =>
  main.query<Delivery>({ index: 'parent', pk: deliveriesPk(tenant, owner), order: 'descending', ...page })
