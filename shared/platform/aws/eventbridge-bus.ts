import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import type { CloudEvent, EventBus } from '../platform.ts'
import { translated } from './aws-error.ts'

type Options = { busName: string; client?: EventBridgeClient }

const batchSize = 10

/** The whole CloudEvent is the detail; its type and source are EventBridge's, so that rules can match either. */
export const createEventBridgeBus = ({ busName, client = new EventBridgeClient({}) }: Options): EventBus => {
  const publishBatch = async (events: CloudEvent[]): Promise<string[]> => {
    const Entries = events.map((event) => ({
      EventBusName: busName,
      Source: event.source,
      DetailType: event.type,
      Time: new Date(event.time),
      Detail: JSON.stringify(event),
      ...(event.subject && { Resources: [event.subject] }),
    }))
    const answer = await translated('a publish', () => client.send(new PutEventsCommand({ Entries })))
    return events.filter((_, at) => answer.Entries?.[at]?.ErrorCode !== undefined).map(({ id }) => id)
  }
  return {
    async publish(events) {
      const groups = Array.from({ length: Math.ceil(events.length / batchSize) }, (_, at) =>
        events.slice(at * batchSize, (at + 1) * batchSize),
      )
      return (await Promise.all(groups.map(publishBatch))).flat()
    },
  }
}
