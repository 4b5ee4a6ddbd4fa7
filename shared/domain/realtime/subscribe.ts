import type { Platform } from '../../platform/platform.ts'
import { DomainError, invalid } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { findSubscription } from '../topics/topic-store.ts'
import { presentNow } from './announce.ts'
import type { Connection, Watch } from './connection.ts'
import type { ServerFrame } from './frame.ts'
import { isMatchTopic, type MatchTopic, missedMatches, subscriptionOf } from './match-topic.ts'
import { isMessageTopic, type MessageTopic, missedMessages } from './message-topic.ts'
import { placeAt } from './missed.ts'
import { presenceTopic } from './presence.ts'
import { type AgentTopic, type EntityTopic, isAgentTopic, revOf } from './topics.ts'
import { endWatch, startWatch } from './watch.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'volatile' | 'clock' | 'random'>
type Entity = EntityTopic | AgentTopic
type Wish = { topic: Entity | MessageTopic | MatchTopic | typeof presenceTopic; id?: string; since?: string }

/**
 * Watches a topic or one entity of it. Everything that is stored after the answer is told; `since`, the rev that the
 * client knows, is compared with what is there: what is behind is told to read again.
 */
export const subscribe = async (
  ports: Ports,
  connection: Connection,
  { topic, id, since }: Wish,
): Promise<ServerFrame[]> => {
  const watch: Watch = { topic, ...(id !== undefined && { id }) }
  if (isMessageTopic(topic) || isMatchTopic(topic)) return subscribeMessages(ports, connection, { topic, id, since })
  if (topic === presenceTopic) return subscribePresence(ports, connection, id)
  if (id === undefined) return subscribeAll(ports, connection, { topic, since })
  const { tenant } = connection
  if ((await revOf(ports, tenant, topic, id)) === undefined)
    throw new DomainError('NOT_FOUND', `there is nothing of the id ${id} among ${topic}`, [
      { pointer: '#/id', code: 'NOT_FOUND', message: 'not found' },
    ])
  await startWatch(ports, connection, watch)
  const rev = (await revOf(ports, tenant, topic, id)) ?? ''
  const behind = since !== undefined && since !== rev && !isAgentTopic(topic)
  return [{ type: 'subscribed', topic, id, rev }, ...(behind ? [{ type: 'changed', topic, id, rev } as const] : [])]
}

/** Which of them changed since nobody can tell: a topic is read again. */
const subscribeAll = async (
  ports: Ports,
  connection: Connection,
  { topic, since }: { topic: Entity; since?: string },
): Promise<ServerFrame[]> => {
  if (isAgentTopic(topic)) throw invalid('#/id', 'REQUIRED', `${topic} is watched for one agent: name it by its id`)
  await startWatch(ports, connection, { topic })
  return [
    { type: 'subscribed', topic, rev: newRev(ports) },
    ...(since === undefined ? [] : [{ type: 'resync', topic } as const]),
  ]
}

/** Who is there, and from now on who comes and goes. */
const subscribePresence = async (
  ports: Ports,
  connection: Connection,
  id: string | undefined,
): Promise<ServerFrame[]> => {
  if (id !== undefined) throw invalid('#/id', 'UNEXPECTED', 'presence is watched as a whole')
  await startWatch(ports, connection, { topic: presenceTopic })
  const subscribed: ServerFrame = { type: 'subscribed', topic: presenceTopic, rev: newRev(ports) }
  return [subscribed, ...(await presentNow(ports, connection.tenant))]
}

/** From now on, and with `since` what came after that message. */
const subscribeMessages = async (
  ports: Ports,
  connection: Connection,
  { topic, id, since }: { topic: MessageTopic | MatchTopic; id?: string; since?: string },
): Promise<ServerFrame[]> => {
  const { tenant } = connection
  if (id !== undefined) throw invalid('#/id', 'UNEXPECTED', 'messages are watched by their topic alone')
  if (isMatchTopic(topic)) await requireSubscription(ports, tenant, topic)
  const rev = placeAt(ports.clock.now())
  await startWatch(ports, connection, { topic })
  return [
    { type: 'subscribed', topic, rev },
    ...(since === undefined ? [] : await missedOf(ports, { tenant, topic, since })),
  ]
}

type Missing = { tenant: string; topic: MessageTopic | MatchTopic; since: string }

const missedOf = (ports: Ports, { topic, ...rest }: Missing): Promise<ServerFrame[]> =>
  isMatchTopic(topic) ? missedMatches(ports, { topic, ...rest }) : missedMessages(ports, { topic, ...rest })

const requireSubscription = async (ports: Ports, tenant: string, topic: MatchTopic): Promise<void> => {
  const id = subscriptionOf(topic)
  if ((await findSubscription(ports, tenant, id)) === undefined)
    throw new DomainError('NOT_FOUND', `there is no subscription ${id}`, [
      { pointer: '#/topic', code: 'NOT_FOUND', message: 'not found' },
    ])
}

/** Tells no more of it. What it did not watch it does not watch. */
export const unsubscribe = async (ports: Ports, connection: Connection, watch: Watch): Promise<ServerFrame[]> => {
  await endWatch(ports, connection, watch)
  return [{ type: 'unsubscribed', ...watch }]
}
