import { aPlatform } from '#test/support/embedded.ts'
import { queuesContract } from './queues-contract.ts'

queuesContract('memory', async () => {
  const { platform, close } = await aPlatform()
  return { queues: platform.queues, close }
})
