import type { Change, Platform } from '../../platform/platform.ts'
import { sortableTime } from '../keys.ts'
import type { Publication } from '../topics/publication.ts'
import { listPublications, publicationPk } from '../topics/topic-store.ts'
import type { MessageFrame, ServerFrame } from './frame.ts'
import { showMessage } from './show-message.ts'

type Ports = Pick<Platform, 'main' | 'objects'>

/** `topic/builds`: the messages on the topic `builds`. */
export type MessageTopic = `topic/${string}`
const beginning = 'topic/'

export const isMessageTopic = (topic: string): topic is MessageTopic => topic.startsWith(beginning)

const seqOf = ({ createdAt, id }: Publication): string => `${sortableTime(createdAt)}#${id}`
/** The place of whatever is published from now on. */
export const seqAt = (now: number): string => `${sortableTime(now)}#`

/** Messages that are told to whoever watches their topic: those that are new. */
export const publicationOf = ({ type, before, after }: Change): Publication | undefined =>
  type === 'publication' && before === undefined ? (after?.value as Publication | undefined) : undefined

/** What whoever watches is told of a message. */
export const messageFrame = async (ports: Ports, publication: Publication): Promise<MessageFrame> => {
  const { tenant, id, topic } = publication
  const shown = await showMessage(ports, publication, publicationPk(tenant, id))
  return { type: 'message', topic: `${beginning}${topic}`, seq: seqOf(publication), ...shown }
}

/** Of more that were missed a client is told to read them elsewhere. */
const mostMissed = 100
/** Writers' clocks are not the same: what was published shortly before is told again. */
const overlapMs = 5000

/** The messages after a place of a topic, or that there are too many. Some may have been told before. */
export const missedMessages = async (
  ports: Ports & Pick<Platform, 'clock'>,
  { tenant, topic, since }: { tenant: string; topic: MessageTopic; since: string },
): Promise<ServerFrame[]> => {
  const from = Number.parseInt(since, 10)
  const resync: ServerFrame = { type: 'resync', topic }
  if (!Number.isFinite(from)) return [resync]
  const between = { from: from - overlapMs, to: ports.clock.now() + overlapMs, limit: mostMissed }
  const page = await listPublications(ports, { tenant, topic: topic.slice(beginning.length) }, between)
  if (page.cursor !== undefined) return [resync]
  return Promise.all(page.items.map(({ value }) => messageFrame(ports, value)))
}
