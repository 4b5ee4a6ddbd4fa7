import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BusEvent, takeMessage } from '#functions/intake/take-message.ts'
import { findMessage } from '#shared/domain/messages/message-store.ts'
import { loadEvent } from '#shared/domain/topics/load-event.ts'
import { listPublications } from '#shared/domain/topics/topic-store.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aUlid } from '#test/support/items.ts'

let embedded: Awaited<ReturnType<typeof aPlatform>>
beforeAll(async () => {
  embedded = await aPlatform()
})
afterAll(() => embedded.close())

const anEvent = (more: Partial<BusEvent> = {}): BusEvent => ({
  id: aUlid(),
  source: 'com.example.shop',
  'detail-type': 'Order Paid',
  time: '2026-01-31T12:00:00Z',
  resources: ['order/7'],
  detail: { amount: 5 },
  ...more,
})
/** What is on a topic, as subscribers see it. */
const on = async (topic: string) => {
  const query = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 10 }
  const { items } = await listPublications(embedded.platform, { tenant: 'default', topic }, query)
  return Promise.all(items.map(({ value }) => loadEvent(embedded.platform, value)))
}

describe('an event on the bus', () => {
  it('is one message on the topic of its source, however often it comes', async () => {
    const event = anEvent()
    const first = await takeMessage(embedded.platform, event)
    expect(await takeMessage(embedded.platform, event)).toEqual(first)
    const kept = await findMessage(embedded.platform, 'default', first?.message ?? '')
    expect(kept?.value).toMatchObject({ to: { topic: 'bus.com.example.shop' }, data: { value: { amount: 5 } } })
    expect(await on('bus.com.example.shop')).toEqual([
      {
        specversion: '1.0',
        id: first?.message,
        source: 'com.example.shop',
        type: 'Order Paid',
        subject: 'order/7',
        time: '2026-01-31T12:00:00.000Z',
        datacontenttype: 'application/json',
        tenantid: 'default',
        kind: 'event',
        topic: 'bus.com.example.shop',
        hops: 'bus.com.example.shop',
        data: { amount: 5 },
      },
    ])
  })

  it('speaks for itself when its detail is a CloudEvent', async () => {
    const detail = {
      specversion: '1.0',
      id: 'a',
      source: '/shop',
      type: 'order.paid',
      subject: '7',
      hops: 'a b',
      data: 5,
    }
    await takeMessage(embedded.platform, anEvent({ source: 'cloud events', detail }))
    expect(await on('bus.cloud-events')).toMatchObject([
      { source: '/shop', type: 'order.paid', subject: '7', hops: 'a b bus.cloud-events', data: 5 },
    ])
  })

  it('is refused, and counted, when it goes round', async () => {
    const metrics: string[] = []
    const telemetry = { ...embedded.platform.telemetry, metric: (name: string) => void metrics.push(name) }
    const detail = { specversion: '1.0', hops: Array.from({ length: 16 }, () => 'a').join(' '), data: 1 }
    expect(await takeMessage({ ...embedded.platform, telemetry }, anEvent({ detail }))).toBeUndefined()
    expect(metrics).toEqual(['EventsRefused'])
  })
})
