import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import type { Clock, CloudEvent, EventBus, Random } from '../platform.ts'
import { translated } from './aws-error.ts'
import { untilNoneIsLeft } from './back-off.ts'

type Options = { busName: string; client?: EventBridgeClient; clock: Clock; random: Random }

const mostEntries = 10
/** The most one event, and all events of a request together, may have. */
const mostBytes = 1024 * 1024
/** More than one event only share a request that every region takes. */
const sharedBytes = 256 * 1024

type Sized = { event: CloudEvent; entry: PutEventsRequestEntry; bytes: number }

/**
 * The whole CloudEvent is the detail; its type and source are EventBridge's, so that rules can match either.
 * Sizes as in https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
 */
const toSized = (event: CloudEvent, EventBusName: string): Sized => {
  const Detail = JSON.stringify(event)
  const texts = [event.source, event.type, Detail, event.subject ?? '']
  const entry = {
    EventBusName,
    Source: event.source,
    DetailType: event.type,
    Time: new Date(event.time),
    Detail,
    ...(event.subject && { Resources: [event.subject] }),
  }
  return { event, entry, bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 14) }
}

/** Requests that EventBridge takes, in order. */
const inRequests = (all: Sized[]): Sized[][] => {
  const requests: Sized[][] = []
  let room = { entries: 0, bytes: 0 }
  for (const one of all) {
    if (room.entries === 0 || room.bytes < one.bytes) {
      requests.push([])
      room = { entries: mostEntries, bytes: sharedBytes }
    }
    requests.at(-1)?.push(one)
    room = { entries: room.entries - 1, bytes: room.bytes - one.bytes }
  }
  return requests
}

/** Publishes to a bus of EventBridge. */
export const createEventBridgeBus = (options: Options): EventBus => {
  const { busName, client = new EventBridgeClient({}), ...timing } = options
  /** Answers those that were not accepted. */
  const put = async (request: Sized[]): Promise<Sized[]> => {
    const command = new PutEventsCommand({ Entries: request.map(({ entry }) => entry) })
    const { Entries = [] } = await translated('a publish', () => client.send(command))
    return request.filter((_, at) => Entries[at]?.EventId === undefined)
  }
  return {
    async publish(events) {
      const all = events.map((event) => toSized(event, busName))
      const [tooLarge, fitting] = [
        all.filter((one) => one.bytes > mostBytes),
        all.filter((one) => one.bytes <= mostBytes),
      ]
      const left = await Promise.all(inRequests(fitting).map((request) => untilNoneIsLeft(timing, request, put)))
      return [...tooLarge, ...left.flat()].map(({ event }) => event.id)
    },
  }
}
