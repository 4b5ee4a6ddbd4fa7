import { describe, expect, test } from 'vitest'
import { createProcessBus } from '#shared/platform/embedded/process-bus.ts'
import type { CloudEvent } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventually } from '#test/support/eventually.ts'
import { eventBusContract } from './event-bus-contract.ts'

eventBusContract('process', async () => {
  const { platform, close } = await aPlatform()
  const events: CloudEvent[] = []
  platform.bus.subscribe((event) => events.push(event))
  return { bus: platform.bus, arrived: () => events, close }
})

describe('listeners in the process', () => {
  const anEvent = { specversion: '1.0', id: '1', source: 'devcycle', type: 't', time: '2026-11-24T12:00:00Z' } as const
  const event: CloudEvent = { ...anEvent, datacontenttype: 'application/json', tenantid: 'acme', data: null }

  test('hear nothing after they stopped, and not of each other’s failures', async () => {
    const errors: unknown[] = []
    const bus = createProcessBus({ onError: (error) => errors.push(error) })
    const heard: string[] = []
    const stop = bus.subscribe(() => heard.push('first'))
    bus.subscribe(() => {
      throw new Error('at once')
    })
    bus.subscribe(() => Promise.reject(new Error('later')))
    bus.subscribe(() => heard.push('last'))
    await bus.publish([event])
    stop()
    await bus.publish([event])
    await eventually(() => expect(errors).toHaveLength(4))
    expect(heard).toEqual(['first', 'last', 'last'])
  })
})
