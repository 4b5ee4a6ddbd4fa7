import type { CloudEvent, Platform } from '../../platform/platform.ts'
import { PlatformError } from '../../platform/platform-error.ts'
import { type Caller, systemStamp } from '../caller.ts'
import { idFromKey } from '../ids.ts'
import type { Inbox } from '../inboxes/letter.ts'
import { sendLetter } from '../inboxes/send-letter.ts'
import { envelopeOf } from '../messages/envelope.ts'
import { openMailbox } from '../messages/mailbox.ts'
import { putOnTopic } from '../messages/put-on-topic.ts'
import { inboxOf } from '../queues/queue.ts'
import { getQueue } from '../queues/queue-store.ts'
import { type CheckInput, submitTask } from '../tasks/submit-task.ts'
import { deliverTo } from '../webhooks/notify.ts'
import { startRun } from '../workflows/start-run.ts'
import { wakeStep } from '../workflows/steps/wake-step.ts'
import { kindOf, type Subscription, type Target, type TargetKind } from './subscription.ts'

export type TopicPorts = Omit<Platform, 'feed' | 'hosts' | 'generation'>
export type TopicTools = { checkInput: CheckInput }

/** What a subscription matched, for its target; under the same `id` the same target gets it once. */
export type Arrival = { id: string; subscription: Subscription; event: CloudEvent; replay?: string }
type Of<Kind extends TargetKind> = Extract<Target, Record<Kind, unknown>>
/** Answers the id of what the match became, if it has one. */
type Deliver<Kind extends TargetKind> = (
  ports: TopicPorts,
  arrival: Arrival & { target: Of<Kind> },
  tools: TopicTools,
) => Promise<string | undefined>

/** A subscription acts for whoever made it. */
const callerOf = ({ tenant, id, by }: Subscription): Caller => ({ tenant, principal: by, requestId: id })

const toCapability: Deliver<'capability'> = async (ports, { id, subscription, event, target }, { checkInput }) => {
  const { capability, input, priority, labels = {} } = target
  const command = {
    capability,
    priority,
    labels,
    input: input === 'event' ? event : event.data,
    idempotencyKey: `match\n${id}`, // none that a caller can choose
    traceparent: event.traceparent,
    hops: event.hops?.split(' '),
  }
  return (await submitTask(ports, callerOf(subscription), command, checkInput)).id
}

/** The run of a match: once for each, since a match is one message. */
const toWorkflow: Deliver<'workflow'> = async (ports, { id, subscription, event, target }, { checkInput }) => {
  const { workflow, version, input } = target
  const wished = { workflow, version, input: input === 'event' ? event : event.data }
  const command = { ...wished, hops: event.hops?.split(' '), idempotencyKey: `match\n${id}` }
  return (await startRun(ports, callerOf(subscription), command, checkInput)).id
}

const toWebhook: Deliver<'webhook'> = (ports, { id, event, target }) =>
  deliverTo(ports, event, { owner: target.webhook, key: id })

/** Whoever receives there gets the message once, however many subscriptions lead there; a replay brings it again. */
const toInbox = (ports: TopicPorts, { event, replay }: Arrival, inbox: Inbox): Promise<string> => {
  const { data, topic, hops = '' } = event
  const sent = { envelope: envelopeOf(event), data, topic, hops: hops.split(' ').filter(Boolean), replay }
  return sendLetter(ports, inbox, sent, systemStamp('subscription.deliver'))
}

const toAgent: Deliver<'agent'> = async (ports, { target, ...arrival }) =>
  toInbox(ports, arrival, await openMailbox(ports, arrival.subscription.tenant, target.agent))

const toQueue: Deliver<'queue'> = async (ports, { target, ...arrival }) =>
  toInbox(ports, arrival, inboxOf((await getQueue(ports, arrival.subscription.tenant, target.queue)).value))

/** On the next topic it is a message of its own, which knows the way that it came. */
const toTopic: Deliver<'topic'> = async (ports, { id, subscription, event, target }) => {
  const { tenant } = subscription
  const message = idFromKey('msg', tenant, `match\n${id}`)
  const envelope = { ...envelopeOf(event), id: message }
  const passed = event.hops?.split(' ') ?? []
  await putOnTopic(
    ports,
    tenant,
    { topic: target.topic, envelope, data: event.data, passed },
    systemStamp('subscription.forward'),
  )
  return message
}

const toBus: Deliver<'bus'> = async ({ bus }, { event }) => {
  const refused = await bus.publish([event])
  if (refused.length > 0) throw new PlatformError('THROTTLED', `the bus did not take message ${event.id} in time`)
  return undefined
}

/** Sockets are told of the match when it is stored; who is away asks for what came since. */
const toSocket: Deliver<'socket'> = async () => undefined

/** The first message ends the step; the others are nobody's. */
const toStep: Deliver<'step'> = async (ports, { subscription, event, target }) => {
  await wakeStep(ports, { tenant: subscription.tenant, ...target.step }, event)
  return target.step.run
}

type AnyDeliver = (
  ports: TopicPorts,
  arrival: Arrival & { target: Target },
  tools: TopicTools,
) => ReturnType<typeof toBus>

const targets: { [Kind in TargetKind]: Deliver<Kind> } = {
  capability: toCapability,
  workflow: toWorkflow,
  webhook: toWebhook,
  agent: toAgent,
  queue: toQueue,
  topic: toTopic,
  bus: toBus,
  socket: toSocket,
  step: toStep,
}

/** Hands a match to its target. It may be done again: the target gets it once all the same. */
export const deliver = (ports: TopicPorts, arrival: Arrival, tools: TopicTools): Promise<string | undefined> => {
  const { target } = arrival.subscription
  const to = targets[kindOf(target)] as unknown as AnyDeliver
  return to(ports, { ...arrival, target }, tools)
}
