import { EventBridgeClient, PutEventsCommand, type PutEventsCommandInput } from '@aws-sdk/client-eventbridge'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { createEventBridgeBus } from '#shared/platform/aws/eventbridge-bus.ts'
import type { CloudEvent } from '#shared/platform/platform.ts'
import { sdkError } from './errors.ts'
import { aTiming } from './timing.ts'

const bridge = mockClient(EventBridgeClient)
afterEach(() => bridge.reset())

const aBus = () => {
  const timing = aTiming()
  const client = new EventBridgeClient({ region: 'us-east-1' })
  return { ...timing, bus: createEventBridgeBus({ busName: 'bus', client, ...timing }) }
}

const anEvent = (id: string, data: unknown = {}): CloudEvent => ({
  specversion: '1.0',
  id,
  source: 'io.devcycle',
  type: 'io.devcycle.task.succeeded.v1',
  time: '2026-11-24T12:00:00.000Z',
  subject: 'tsk_1',
  datacontenttype: 'application/json',
  tenantid: 'acme',
  data,
})

const accepted = { EventId: 'e' }
const refused = { ErrorCode: 'InternalFailure', ErrorMessage: 'oops' }
const idsOf = ({ Entries = [] }: PutEventsCommandInput): string[] =>
  Entries.map(({ Detail = '' }) => JSON.parse(Detail).id)
const sent = (): string[][] => bridge.commandCalls(PutEventsCommand).map(({ args }) => idsOf(args[0].input))
const acceptAll = (): void =>
  void bridge
    .on(PutEventsCommand)
    .callsFake((input) => ({ FailedEntryCount: 0, Entries: idsOf(input).map(() => accepted) }))

describe('publishing', () => {
  it('puts the whole event into the detail, and its names where rules look for them', async () => {
    acceptAll()
    const event = anEvent('1', { status: 'SUCCEEDED' })
    expect(await aBus().bus.publish([event])).toEqual([])
    const [entry] = bridge.commandCalls(PutEventsCommand)[0]?.args[0].input.Entries ?? []
    expect(entry).toMatchObject({
      EventBusName: 'bus',
      Source: event.source,
      DetailType: event.type,
      Time: new Date(event.time),
      Resources: ['tsk_1'],
    })
    expect(JSON.parse(entry?.Detail ?? '')).toEqual(event)
  })

  it('publishes again what was not accepted, and that alone', async () => {
    bridge
      .on(PutEventsCommand)
      .resolvesOnce({ FailedEntryCount: 2, Entries: [refused, accepted, refused] })
      .resolvesOnce({ FailedEntryCount: 1, Entries: [accepted, refused] })
      .resolves({ FailedEntryCount: 0, Entries: [accepted] })
    const { bus, slept } = aBus()
    expect(await bus.publish(['1', '2', '3'].map((id) => anEvent(id)))).toEqual([])
    expect(sent()).toEqual([['1', '2', '3'], ['1', '3'], ['3']])
    expect(slept).toEqual([12.5, 25])
  })

  it('answers what is never accepted', async () => {
    bridge.on(PutEventsCommand).callsFake((input) => ({
      Entries: idsOf(input).map((id) => (id === '2' ? refused : accepted)),
    }))
    expect(await aBus().bus.publish(['1', '2', '3'].map((id) => anEvent(id)))).toEqual(['2'])
  })

  it('shares requests of ten, and of the size that one may have', async () => {
    acceptAll()
    await aBus().bus.publish(Array.from({ length: 23 }, (_, at) => anEvent(String(at))))
    expect(sent().map((ids) => ids.length)).toEqual([10, 10, 3])
    bridge.resetHistory()
    const large = 'x'.repeat(100_000)
    await aBus().bus.publish(['a', 'b', 'c', 'd', 'e'].map((id) => anEvent(id, large)))
    expect(sent()).toEqual([['a', 'b'], ['c', 'd'], ['e']])
    bridge.resetHistory()
    await aBus().bus.publish([anEvent('small'), anEvent('half a megabyte', 'x'.repeat(500_000)), anEvent('after')])
    expect(sent()).toEqual([['small'], ['half a megabyte'], ['after']])
  })

  it('does not send an event that no request could hold, and answers it', async () => {
    acceptAll()
    const events = [anEvent('fits'), anEvent('large', 'é'.repeat(600_000))]
    expect(await aBus().bus.publish(events)).toEqual(['large'])
    expect(sent()).toEqual([['fits']])
  })

  it('is THROTTLED or UNAVAILABLE when EventBridge is', async () => {
    bridge.on(PutEventsCommand).rejects(sdkError('ThrottlingException'))
    await expect(aBus().bus.publish([anEvent('1')])).rejects.toMatchObject({ code: 'THROTTLED' })
    bridge.on(PutEventsCommand).rejects(sdkError('TimeoutError'))
    await expect(aBus().bus.publish([anEvent('1')])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
