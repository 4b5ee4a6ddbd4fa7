import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { deliver } from '#functions/deliver/deliver.ts'
import { sweep } from '#functions/sweep/sweep.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { dueBody } from '#shared/domain/dispatch/due.ts'
import { deleteWebhook, makeWebhook, patchWebhook, redeliverNow } from '#shared/domain/webhooks/change-webhook.ts'
import type { Delivery } from '#shared/domain/webhooks/delivery.ts'
import { notifyWebhooks } from '#shared/domain/webhooks/notify.ts'
import { deliveryQueue } from '#shared/domain/webhooks/send-delivery.ts'
import { getWebhook, listDeliveries } from '#shared/domain/webhooks/webhook-store.ts'
import type { CloudEvent, EgressAnswer, Platform } from '#shared/platform/platform.ts'
import { deathsAmong, dying } from '#test/support/dying-platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const caller: Caller = { tenant: 'default', principal: { kind: 'key', id: 'k', role: 'admin' }, requestId: 'r' }
const clock = aSkewedClock()
let platform: Platform
let close: () => Promise<void>
let answers: EgressAnswer[] = []
let posts: string[] = []
beforeAll(async () => {
  const opened = await aPlatform(undefined, clock)
  const post = async ({ headers }: { headers: Record<string, string> }): Promise<EgressAnswer> => {
    posts.push(headers['webhook-id'] ?? '')
    return answers.shift() ?? { status: 200, body: '' }
  }
  platform = { ...opened.platform, egress: { post, problem: async () => undefined } }
  close = opened.close
})
beforeEach(() => {
  answers = []
  posts = []
})
afterAll(() => close())

let events = 0
const anEvent = (): CloudEvent => ({
  specversion: '1.0',
  id: `change-${++events}`,
  source: 'io.devcycle',
  type: 'io.devcycle.task.failed.v1',
  time: new Date(clock.now()).toISOString(),
  datacontenttype: 'application/json',
  tenantid: 'default',
  data: {},
})
const aWebhook = async (): Promise<string> =>
  (await makeWebhook(platform, caller, { url: 'https://example.com/', events: ['*'] })).made.value.id
const deliveriesOf = async (owner: string): Promise<Delivery[]> => {
  const page = await listDeliveries(platform, { tenant: 'default', owner, limit: 100 })
  return page.items.map(({ value }) => value)
}
const attempt = (id: string, ports = platform) => deliver(ports, [dueBody('default', id)])
const remove = (id: string) => deleteWebhook(platform, caller, id)

it('an attempt that breaks off at any write is made again, under the same id', async () => {
  for (const { last, stored } of deathsAmong(3)) {
    posts = []
    const webhook = await aWebhook()
    await notifyWebhooks(platform, anEvent())
    const [{ id = '' } = {}] = await deliveriesOf(webhook)
    await attempt(id, dying(platform, last, stored))
    clock.forward(61_000)
    await attempt(id)
    const about = `death at write ${last}, ${stored ? 'stored' : 'not stored'}`
    expect(await deliveriesOf(webhook), about).toMatchObject([{ state: 'DELIVERED' }])
    expect(new Set(posts), about).toEqual(new Set([id]))
    expect(posts.length, about).toBeLessThanOrEqual(2)
    await remove(webhook)
  }
})

it('an event that is told of again makes no second delivery, and several that attempt at once make one post', async () => {
  const webhook = await aWebhook()
  const event = anEvent()
  await Promise.all([notifyWebhooks(platform, event), notifyWebhooks(platform, event)])
  const [{ id = '' } = {}] = await deliveriesOf(webhook)
  await Promise.all([attempt(id), attempt(id), attempt(id)])
  await notifyWebhooks(platform, event)
  await attempt(id)
  expect(await deliveriesOf(webhook)).toMatchObject([{ state: 'DELIVERED' }])
  expect(posts).toEqual([id])
  await remove(webhook)
})

it('what a queue has lost is asked for again by the sweep', async () => {
  const webhook = await aWebhook()
  answers = [{ status: 500, body: '' }]
  await notifyWebhooks(platform, anEvent())
  const [{ id = '' } = {}] = await deliveriesOf(webhook)
  await attempt(id)
  const receive = () => platform.queues.receive({ queues: [deliveryQueue], max: 100, waitSeconds: 0 })
  await platform.queues.delete(await receive())
  expect(await receive()).toEqual([])
  clock.forward(10_000)
  await sweep(platform)
  expect((await receive()).map(({ body }) => body)).toContain(dueBody('default', id))
  expect(posts).toEqual([id])
  await remove(webhook)
})

it('what is on its way to a webhook that is deleted or disabled is not sent', async () => {
  const [deleted, disabled] = [await aWebhook(), await aWebhook()]
  await notifyWebhooks(platform, anEvent())
  await remove(deleted)
  await patchWebhook(platform, caller, disabled, { patch: { state: 'DISABLED' } })
  for (const webhook of [deleted, disabled]) {
    const [{ id = '' } = {}] = await deliveriesOf(webhook)
    await attempt(id)
    expect(await deliveriesOf(webhook)).toMatchObject([{ state: 'CANCELLED', attempts: [] }])
  }
  expect(posts).toEqual([])
})

it('a delivery that is given up after three days counts against its webhook, and can be sent once more', async () => {
  const webhook = await aWebhook()
  await notifyWebhooks(platform, anEvent())
  const [{ id = '' } = {}] = await deliveriesOf(webhook)
  answers = Array.from({ length: 10 }, () => ({ status: 503, body: 'busy' }))
  for (let day = 0; day < 10; day++) {
    await attempt(id)
    clock.forward(30 * 3_600_000)
  }
  const [given] = await deliveriesOf(webhook)
  expect(given).toMatchObject({ state: 'FAILED' })
  expect(given?.dueAt).toBeUndefined()
  expect(given?.attempts).toHaveLength(10)
  expect(given?.attempts[0]).toMatchObject({ status: 503, answer: 'busy' })
  await attempt(id)
  expect(posts).toHaveLength(10)
  expect((await getWebhook(platform, 'default', webhook)).value.givenUp).toBe(1)
  await redeliverNow(platform, 'default', { owner: webhook, id })
  await attempt(id)
  expect(await deliveriesOf(webhook)).toMatchObject([{ state: 'DELIVERED' }])
  expect((await getWebhook(platform, 'default', webhook)).value.givenUp).toBe(0)
  await remove(webhook)
})
