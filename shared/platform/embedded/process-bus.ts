import type { CloudEvent, EventBus } from '../platform.ts'

export type ProcessBus = EventBus & {
  /** Answers how to stop listening. A listener that throws does not hinder the others. */
  subscribe(listener: (event: CloudEvent) => void): () => void
}

/** The bus between the parts of one process. */
export const createProcessBus = (): ProcessBus => {
  const listeners = new Set<(event: CloudEvent) => void>()
  const tell = (event: CloudEvent): void => {
    for (const listener of listeners)
      try {
        listener(event)
      } catch {
        // a listener's failure is its own
      }
  }
  return {
    async publish(events) {
      for (const event of events) tell(event)
      return []
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
