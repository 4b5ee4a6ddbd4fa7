import type { Platform } from '../../platform/platform.ts'
import { DomainError, invalid } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import type { Connection, Watch } from './connection.ts'
import type { ServerFrame } from './frame.ts'
import { isMessageTopic, type MessageTopic, missedMessages, seqAt } from './message-topic.ts'
import { type AgentTopic, type EntityTopic, isAgentTopic, revOf } from './topics.ts'
import { endWatch, startWatch } from './watch.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'volatile' | 'clock' | 'random'>
type Entity = EntityTopic | AgentTopic
type Wish = { topic: Entity | MessageTopic; id?: string; since?: string }

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
  if (isMessageTopic(topic)) return subscribeMessages(ports, connection, { topic, id, since })
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

/** From now on, and with `since` what came after that message. */
const subscribeMessages = async (
  ports: Ports,
  connection: Connection,
  { topic, id, since }: { topic: MessageTopic; id?: string; since?: string },
): Promise<ServerFrame[]> => {
  if (id !== undefined) throw invalid('#/id', 'UNEXPECTED', 'messages are watched by their topic alone')
  const rev = seqAt(ports.clock.now())
  await startWatch(ports, connection, { topic })
  const missed = since === undefined ? [] : await missedMessages(ports, { tenant: connection.tenant, topic, since })
  return [{ type: 'subscribed', topic, rev }, ...missed]
}

/** Tells no more of it. What it did not watch it does not watch. */
export const unsubscribe = async (ports: Ports, connection: Connection, watch: Watch): Promise<ServerFrame[]> => {
  await endWatch(ports, connection, watch)
  return [{ type: 'unsubscribed', ...watch }]
}
