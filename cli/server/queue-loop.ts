import type { Platform, Received } from '#shared/platform/platform.ts'
import { createUnderWay } from './under-way.ts'

type Options = {
  queue: string
  /** So many of its messages are attended to at a time. */
  most: number
  /** Answers the messages that must come again. */
  attend: (platform: Platform, bodies: string[]) => Promise<string[]>
  /** How long the end of the server waits for what is under way; what breaks off then comes again. @default its end */
  graceMs?: number
}

/** Attends to the messages of a queue side by side: one that takes long holds up no other. */
export const createQueueLoop = (platform: Platform, { queue, most, attend, graceMs }: Options) => {
  const underWay = createUnderWay(platform, most)

  const attendTo = async (message: Received): Promise<void> => {
    const failed = await attend(platform, [message.body])
    if (failed.length === 0) await platform.queues.delete([message])
  }
  return {
    async round(signal: AbortSignal): Promise<void> {
      const max = await underWay.room()
      for (const message of await platform.queues.receive({ queues: [queue], max, waitSeconds: 20, signal }))
        underWay.begin(`a message of the queue ${queue} was not attended to`, attendTo(message))
    },
    stop: () => underWay.end(graceMs),
  }
}
