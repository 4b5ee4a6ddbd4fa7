import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { CloudEvent, EventBus } from '#shared/platform/platform.ts'
import { eventually } from '#test/support/eventually.ts'
import { aUlid } from '#test/support/items.ts'
import { type Cannot, contractTest } from './contract-test.ts'

export type BusUnderTest = {
  bus: EventBus
  /** What has arrived so far at someone who takes everything. */
  arrived: () => CloudEvent[] | Promise<CloudEvent[]>
  close: () => Promise<void>
}

const anEvent = (change: Partial<CloudEvent> = {}): CloudEvent => ({
  specversion: '1.0',
  id: aUlid(),
  source: 'devcycle',
  type: 'devcycle.task.succeeded',
  time: '2026-11-24T12:00:00.000Z',
  subject: 'tsk_1',
  datacontenttype: 'application/json',
  tenantid: 'acme',
  data: { status: 'SUCCEEDED', title: 'größer 🙂', nested: { list: [1, null] } },
  ...change,
})

/** What `EventBus` promises. */
export const eventBusContract = (
  name: string,
  make: () => Promise<BusUnderTest>,
  { cannot }: { cannot?: Cannot } = {},
): void => {
  describe(`event bus: ${name}`, () => {
    const it = contractTest(cannot)
    const context: { made?: BusUnderTest } = {}
    const made = (): BusUnderTest => {
      if (context.made === undefined) throw new Error('the bus is made before the tests run')
      return context.made
    }
    beforeAll(async () => {
      context.made = await make()
    })
    afterAll(() => context.made?.close())

    it('carries an event whole', async () => {
      const event = anEvent({ traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })
      expect(await made().bus.publish([event])).toEqual([])
      await eventually(async () => expect(await made().arrived()).toContainEqual(event))
    })

    it('carries more events at once than one request of any host takes', async () => {
      const events = Array.from({ length: 33 }, () => anEvent())
      expect(await made().bus.publish(events)).toEqual([])
      await eventually(async () => {
        const ids = new Set((await made().arrived()).map(({ id }) => id))
        expect(events.filter(({ id }) => !ids.has(id))).toEqual([])
      })
    })

    it('accepts that there is nothing to publish', async () => {
      expect(await made().bus.publish([])).toEqual([])
    })

    it('answers which events were not accepted, and carries the others', async () => {
      const [fits, tooLarge] = [anEvent(), anEvent({ data: 'x'.repeat(1_100_000) })]
      expect(await made().bus.publish([tooLarge, fits])).toEqual([tooLarge.id])
      await eventually(async () => expect(await made().arrived()).toContainEqual(fits))
    })
  })
}
