import { describe, expect, it } from 'vitest'
import { isRefused, orThrow } from '#shared/domain/domain-error.ts'
import { beginAttempt, type Delivery, endAttempt, pausesMs, redeliver } from '#shared/domain/webhooks/delivery.ts'
import { rotateSecret } from '#shared/domain/webhooks/rotate-secret.ts'
import { afterDelivery, firstSecret, signingSecrets, type Webhook, wants } from '#shared/domain/webhooks/webhook.ts'
import { allWebhooks, createWebhook } from '#shared/domain/webhooks/webhook-store.ts'
import type { CloudEvent } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'

const event = (type: string, data: object = {}): CloudEvent => ({
  specversion: '1.0',
  id: 'chg-1',
  source: 'io.devcycle',
  type: `io.devcycle.${type}.v1`,
  time: '2026-01-01T00:00:00.000Z',
  datacontenttype: 'application/json',
  tenantid: 'default',
  data,
})
const aWebhook = (change: Partial<Webhook> = {}): Webhook => ({
  id: 'whk_1',
  tenant: 'default',
  url: 'https://example.com',
  events: ['task.*'],
  secrets: [{ value: 'whsec_a' }],
  state: 'ACTIVE',
  givenUp: 0,
  createdAt: 0,
  updatedAt: 0,
  created: 'digest',
  stamp: { actor: 'key:a', action: 'webhook.create', request: 'r' },
  ...change,
})
const aDelivery = (change: Partial<Delivery> = {}): Delivery => ({
  id: 'dlv_1',
  tenant: 'default',
  owner: 'whk_1',
  event: event('task.failed'),
  state: 'PENDING',
  attempts: [],
  round: 0,
  dueAt: 0,
  createdAt: 0,
  ...change,
})

describe('a webhook', () => {
  it('wants what its events and filters name', () => {
    expect(wants(aWebhook(), event('task.succeeded'))).toBe(true)
    expect(wants(aWebhook(), event('agent.registered'))).toBe(false)
    expect(wants(aWebhook({ events: ['*'] }), event('agent.registered'))).toBe(true)
    expect(wants(aWebhook({ events: ['task.failed'] }), event('task.succeeded'))).toBe(false)
    expect(wants(aWebhook({ capability: 'a' }), event('task.failed', { capability: 'b' }))).toBe(false)
    const labels = { team: 'x' }
    expect(wants(aWebhook({ labels }), event('task.failed', { labels: { team: 'x', more: 'y' } }))).toBe(true)
    expect(wants(aWebhook({ labels }), event('task.failed'))).toBe(false)
    expect(wants(aWebhook({ state: 'DISABLED' }), event('task.failed'))).toBe(false)
  })

  it('signs with the old secret as well for a day after a rotation', () => {
    const rotated = orThrow(rotateSecret(aWebhook(), { value: 'whsec_b' }, 1000))
    expect(signingSecrets(rotated, 2000)).toEqual(['whsec_b', 'whsec_a'])
    expect(signingSecrets(rotated, 1000 + 24 * 3_600_000)).toEqual(['whsec_b'])
    const twice = orThrow(rotateSecret(rotated, { value: 'whsec_c' }, 2000))
    expect(signingSecrets(twice, 3000)).toEqual(['whsec_c', 'whsec_b', 'whsec_a'])
    expect(signingSecrets(twice, 1500 + 24 * 3_600_000)).toEqual(['whsec_c', 'whsec_b'])
  })

  it('has ten secrets at most, and none of them is cut short by another', () => {
    let webhook = aWebhook()
    for (let n = 1; n < 10; n++) webhook = orThrow(rotateSecret(webhook, { value: `whsec_${n}` }, n * 1000))
    expect(signingSecrets(webhook, 10_000)).toHaveLength(10)
    const day = 24 * 3_600_000
    const refused = rotateSecret(webhook, { value: 'whsec_x' }, 10_000)
    expect(refused).toMatchObject({ refused: 'CONFLICT' })
    expect(isRefused(refused) && refused.message).toContain(new Date(1000 + day).toISOString())
    const later = orThrow(rotateSecret(webhook, { value: 'whsec_x' }, 1000 + day))
    expect(signingSecrets(later, 1001 + day)).toHaveLength(10)
  })

  it('makes one secret under a key, and no other one after that is over', () => {
    const day = 24 * 3_600_000
    const rotate = (webhook: Webhook, key: string, now: number, asked?: string) =>
      rotateSecret(webhook, { value: `whsec_${key}_${now}`, key, asked }, now)
    let webhook = aWebhook()
    for (const key of ['a', 'b', 'c']) webhook = orThrow(rotate(webhook, key, 1000))
    for (const key of ['a', 'b', 'c']) expect(rotate(webhook, key, 2000)).toBe(webhook)
    expect(rotate(webhook, 'a', 2000, 'other')).toMatchObject({ refused: 'IDEMPOTENCY_CONFLICT' })
    for (let n = 1; n < 7; n++) webhook = orThrow(rotate(webhook, `more${n}`, 2000))
    expect(rotate(webhook, 'a', 3000)).toBe(webhook)
    expect(rotate(webhook, 'new', 3000)).toMatchObject({ refused: 'CONFLICT' })
    const over = { refused: 'IDEMPOTENCY_CONFLICT', message: expect.stringContaining('not in force any more') }
    expect(rotate(webhook, 'a', 1000 + day)).toMatchObject(over)
    const later = orThrow(rotate(webhook, 'new', 1000 + day))
    expect(later.secrets.map(({ key }) => key)).not.toContain('a')
    expect(later.secrets.map(({ key }) => key)).toContain('c')
    for (const key of ['a', 'b']) expect(rotate(later, key, 1001 + day)).toMatchObject(over)
  })

  it('tells the secret that it was made with for a day, until another one replaces it', () => {
    const webhook = aWebhook({ createdAt: 1000 })
    expect(firstSecret(webhook, 2000)).toBe('whsec_a')
    expect(firstSecret(webhook, 1000 + 24 * 3_600_000)).toBeUndefined()
    expect(firstSecret(orThrow(rotateSecret(webhook, { value: 'whsec_b' }, 1500)), 2000)).toBeUndefined()
  })

  it('is disabled by 410 at once, and by five deliveries in a row that were given up', () => {
    expect(afterDelivery(aWebhook(), 'GONE')).toMatchObject({ state: 'DISABLED' })
    let webhook = aWebhook()
    for (let n = 0; n < 4; n++) webhook = afterDelivery(webhook, 'FAILED')
    expect(webhook.state).toBe('ACTIVE')
    expect(afterDelivery(afterDelivery(webhook, 'DELIVERED'), 'FAILED').state).toBe('ACTIVE')
    expect(afterDelivery(webhook, 'FAILED')).toMatchObject({ state: 'DISABLED' })
  })
})

describe('a delivery', () => {
  const end = (delivery: Delivery, status: number | undefined, now = 0, random = 0.5) =>
    endAttempt(delivery, { at: now, ms: 1, ...(status !== undefined && { status }) }, { now, random })

  it('comes again over some three days, within a fifth of each pause, and is then given up', () => {
    let delivery = aDelivery()
    let now = 0
    for (const pause of pausesMs) {
      expect(end(delivery, 500, now, 0).dueAt).toBe(now + pause * 0.8)
      delivery = end(delivery, 500, now)
      expect(delivery).toMatchObject({ state: 'PENDING', dueAt: now + pause })
      now = delivery.dueAt ?? 0
    }
    expect(now).toBeGreaterThan(3 * 24 * 3_600_000)
    expect(end(delivery, undefined, now)).toMatchObject({ state: 'FAILED', dueAt: undefined })
  })

  it('ends with 2xx and with 410, and with no other answer', () => {
    expect(end(aDelivery(), 204).state).toBe('DELIVERED')
    expect(end(aDelivery(), 410).state).toBe('FAILED')
    for (const status of [301, 404, 429, 503]) expect(end(aDelivery(), status).state).toBe('PENDING')
  })

  it('is made by one of those that are reminded, and again when it is asked for', () => {
    expect(beginAttempt(aDelivery({ dueAt: 10 }), 9)).toBeUndefined()
    const begun = beginAttempt(aDelivery({ dueAt: 10 }), 10)
    expect(begun && beginAttempt(begun, 11)).toBeUndefined()
    const failed = aDelivery({ state: 'FAILED', dueAt: undefined, round: 9 })
    expect(redeliver(failed, 5)).toMatchObject({ state: 'PENDING', dueAt: 5, round: 0 })
    const asked = { ...redeliver(failed, 5, 'a'), state: 'DELIVERED' as const }
    expect(redeliver(asked, 6, 'a')).toBe(asked)
    expect(redeliver(asked, 6, 'b')).toMatchObject({ state: 'PENDING', askedBy: ['a', 'b'] })
  })
})

describe('all webhooks of a tenant', () => {
  it('are more than its most where several were made at once, none of anybody else, none that was deleted', async () => {
    const { platform, close } = await aPlatform()
    const made = Array.from({ length: 203 }, (_, n) => aWebhook({ id: `whk_${n}`, createdAt: n }))
    const others = [aWebhook({ id: 'whk_other', tenant: 'other' }), aWebhook({ id: 'whk_gone', deletedAt: 1 })]
    await Promise.all([...made, ...others].map((webhook) => createWebhook(platform, webhook)))
    const found = await allWebhooks(platform, 'default')
    expect(found.map(({ id }) => id)).toEqual(made.map(({ id }) => id).reverse())
    await close()
  })
})
