import type { CloudEvent, EventBus } from '../platform.ts'

type Listener = (event: CloudEvent) => unknown

export type ProcessBus = EventBus & {
  /** Answers how to stop listening. A listener that fails does not hinder the others. */
  subscribe(listener: Listener): () => void
}

/** What an event may have as JSON: what EventBridge carries, so that an event that works here works there. */
const maxEventBytes = 256 * 1024 - 1024

type Options = {
  /** Told of what listeners throw. @default nobody */
  onError?: (error: unknown) => void
}

/** The bus between the parts of one process. */
export const createProcessBus = ({ onError = () => undefined }: Options = {}): ProcessBus => {
  const listeners = new Set<Listener>()
  const hand = async (listener: Listener, event: CloudEvent): Promise<unknown> => listener(event)
  const tell = (event: CloudEvent): void => {
    for (const listener of listeners) hand(listener, event).catch(onError)
  }
  const fits = (event: CloudEvent): boolean => Buffer.byteLength(JSON.stringify(event)) <= maxEventBytes
  return {
    async publish(events) {
      const refused = events.filter((event) => !fits(event))
      for (const event of events) if (!refused.includes(event)) tell(event)
      return refused.map(({ id }) => id)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
