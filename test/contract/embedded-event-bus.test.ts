import type { CloudEvent } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventBusContract } from './event-bus-contract.ts'

eventBusContract('process', async () => {
  const { platform, close } = await aPlatform()
  const events: CloudEvent[] = []
  platform.bus.subscribe((event) => events.push(event))
  return { bus: platform.bus, arrived: () => events, close }
})
