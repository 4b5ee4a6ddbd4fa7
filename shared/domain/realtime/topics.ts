import type { Change, Key, Platform, Stored } from '../../platform/platform.ts'
import { agentKey } from '../agents/agent-store.ts'
import { approvalKey } from '../approvals/approval-store.ts'
import type { Letter } from '../inboxes/letter.ts'
import { instanceKey } from '../instances/instance-store.ts'
import { taskKey } from '../keys.ts'
import { messageKey } from '../messages/message-store.ts'
import { scheduleKey } from '../schedules/schedule-store.ts'
import type { Task } from '../tasks/task.ts'
import type { Match } from '../topics/match.ts'
import type { Publication } from '../topics/publication.ts'
import { runKey } from '../workflows/run-store.ts'
import { matchFrame, matchOf, matchTopicOf } from './match-topic.ts'
import { messageFrame, publicationOf } from './message-topic.ts'
import { endOfRequest, responseTopic } from './response-topic.ts'
import type { Telling } from './tell.ts'

/** Something of a tenant that is told to whoever watches it; the latest of an entity stands for those before. */
export type Told = { tenant: string; topic: string; id: string; frame: Telling; once?: true }

type Row = {
  /** Of the items whose changes are told. */
  type: string
  /** What an id of the topic looks like. */
  prefix: 'tsk' | 'agt' | 'ins' | 'apr' | 'sch' | 'run' | 'msg'
  key: (tenant: string, id: string) => Key
}

/** What can be watched as a whole or one by one. */
export const entityTopics = {
  tasks: { type: 'task', prefix: 'tsk', key: taskKey },
  agents: { type: 'agent', prefix: 'agt', key: agentKey },
  instances: { type: 'instance', prefix: 'ins', key: instanceKey },
  approvals: { type: 'approval', prefix: 'apr', key: approvalKey },
  runs: { type: 'run', prefix: 'run', key: runKey },
  schedules: { type: 'schedule', prefix: 'sch', key: scheduleKey },
  sent: { type: 'message', prefix: 'msg', key: messageKey },
} as const satisfies Record<string, Row>
export type EntityTopic = keyof typeof entityTopics

export const isEntityTopic = (topic: string): topic is EntityTopic => Object.hasOwn(entityTopics, topic)

/** There is work for an agent, or a letter in its mailbox: topics of one agent alone. */
export const agentTopics = ['work', 'messages'] as const
export type AgentTopic = (typeof agentTopics)[number]

export const isAgentTopic = (topic: string): topic is AgentTopic => agentTopics.some((one) => one === topic)

const topicsOfTypes = new Map<string, EntityTopic>(
  (Object.keys(entityTopics) as EntityTopic[]).map((topic) => [entityTopics[topic].type, topic]),
)

/** The rev that an entity has; `undefined` when the tenant has none of this id. */
export const revOf = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  topic: EntityTopic | AgentTopic,
  id: string,
): Promise<string | undefined> =>
  (await main.get(entityTopics[isAgentTopic(topic) ? 'agents' : topic].key(tenant, id)))?.rev

/** What of a change is told. */
export const toldOf = (change: Change): Told[] => {
  const { type, before, after } = change
  const publication = publicationOf(change)
  if (publication !== undefined) return [messageOf(publication)]
  const match = matchOf(change)
  if (match !== undefined) return [toldMatch(match)]
  if (type === 'letter') return letterOf(before?.value as Letter | undefined, after as Stored<Letter> | undefined)
  const topic = topicsOfTypes.get(type)
  if (topic === undefined || after === undefined) return []
  const { tenant, id } = after.value as { tenant: string; id: string }
  const changed: Told = { tenant, topic, id, frame: { type: 'changed', topic, id, rev: after.rev } }
  return [changed, ...(besides[topic]?.(change) ?? [])]
}

const messageOf = (publication: Publication): Told => {
  const { tenant, id, topic } = publication
  return { tenant, topic: `topic/${topic}`, id, frame: (ports) => messageFrame(ports, publication) }
}

const toldMatch = (match: Match): Told => {
  const { tenant, id, subscription } = match
  return { tenant, topic: matchTopicOf(subscription), id, frame: (ports) => matchFrame(ports, match) }
}

/** It is told once: whoever waited for it waits no more. */
const responseOf = (change: Change): Told[] => {
  const end = endOfRequest(change)
  return end === undefined ? [] : [{ ...end, topic: responseTopic, once: true }]
}

/** A letter of an agent that can be received is told as a change of its mailbox. */
const letterOf = (before: Letter | undefined, after: Stored<Letter> | undefined): Told[] => {
  if (after === undefined || !after.value.inbox.startsWith('agt_') || !isReady(after.value)) return []
  if (before !== undefined && isReady(before)) return []
  const { tenant, inbox: id } = after.value
  return [{ tenant, topic: 'messages', id, frame: { type: 'changed', topic: 'messages', id, rev: after.rev } }]
}

const isReady = ({ state, behind, handled }: Letter): boolean => state === 'WAITING' && !behind && !handled

/** A task that has come to wait for an agent is work for it. */
const workOf = ({ before: stored, after }: Change): Told[] => {
  const [before, task] = [stored?.value as Task | undefined, after?.value as Task]
  const agent = task.target?.agent
  if (task.status !== 'QUEUED' || agent === undefined || before?.transition.seq === task.transition.seq) return []
  return [{ tenant: task.tenant, topic: 'work', id: agent, frame: { type: 'work', agent } }]
}

/** What the change of an entity tells to those who do not watch it. */
const besides: Partial<Record<EntityTopic, (change: Change) => Told[]>> = { tasks: workOf, sent: responseOf }
