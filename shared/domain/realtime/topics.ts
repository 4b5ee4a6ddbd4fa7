import type { Change, Key, Platform } from '../../platform/platform.ts'
import { agentKey } from '../agents/agent-store.ts'
import { approvalKey } from '../approvals/approval-store.ts'
import { instanceKey } from '../instances/instance-store.ts'
import { taskKey } from '../keys.ts'
import { scheduleKey } from '../schedules/schedule-store.ts'
import type { Task } from '../tasks/task.ts'
import type { Publication } from '../topics/publication.ts'
import { messageFrame, publicationOf } from './message-topic.ts'
import type { Telling } from './tell.ts'

/** Something of a tenant that is told to whoever watches it; the latest of an entity stands for those before. */
export type Told = { tenant: string; topic: string; id: string; frame: Telling }

type Row = {
  /** Of the items whose changes are told. */
  type: string
  /** What an id of the topic looks like. */
  prefix: 'tsk' | 'agt' | 'ins' | 'apr' | 'sch'
  key: (tenant: string, id: string) => Key
}

/** What can be watched as a whole or one by one. */
export const entityTopics = {
  tasks: { type: 'task', prefix: 'tsk', key: taskKey },
  agents: { type: 'agent', prefix: 'agt', key: agentKey },
  instances: { type: 'instance', prefix: 'ins', key: instanceKey },
  approvals: { type: 'approval', prefix: 'apr', key: approvalKey },
  schedules: { type: 'schedule', prefix: 'sch', key: scheduleKey },
} as const satisfies Record<string, Row>
export type EntityTopic = keyof typeof entityTopics

export const isEntityTopic = (topic: string): topic is EntityTopic => Object.hasOwn(entityTopics, topic)

/** There is work for an agent: a topic of one agent alone. */
export const workTopic = 'work'

const topicsOfTypes = new Map<string, EntityTopic>(
  (Object.keys(entityTopics) as EntityTopic[]).map((topic) => [entityTopics[topic].type, topic]),
)

/** The rev that an entity has; `undefined` when the tenant has none of this id. */
export const revOf = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  topic: EntityTopic | typeof workTopic,
  id: string,
): Promise<string | undefined> =>
  (await main.get(entityTopics[topic === workTopic ? 'agents' : topic].key(tenant, id)))?.rev

/** What of a change is told. */
export const toldOf = (change: Change): Told[] => {
  const { type, before, after } = change
  const publication = publicationOf(change)
  if (publication !== undefined) return [messageOf(publication)]
  const topic = topicsOfTypes.get(type)
  if (topic === undefined || after === undefined) return []
  const { tenant, id } = after.value as { tenant: string; id: string }
  const changed: Told = { tenant, topic, id, frame: { type: 'changed', topic, id, rev: after.rev } }
  return topic === 'tasks' ? [changed, ...workOf(before?.value as Task | undefined, after.value as Task)] : [changed]
}

const messageOf = (publication: Publication): Told => {
  const { tenant, id, topic } = publication
  return { tenant, topic: `topic/${topic}`, id, frame: (ports) => messageFrame(ports, publication) }
}

/** A task that has come to wait for an agent is work for it. */
const workOf = (before: Task | undefined, task: Task): Told[] => {
  const agent = task.target?.agent
  if (task.status !== 'QUEUED' || agent === undefined || before?.transition.seq === task.transition.seq) return []
  return [{ tenant: task.tenant, topic: workTopic, id: agent, frame: { type: 'work', agent } }]
}
