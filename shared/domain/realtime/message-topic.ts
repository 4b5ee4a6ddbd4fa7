import type { Change, Platform } from '../../platform/platform.ts'
import type { Publication } from '../topics/publication.ts'
import { listPublications, publicationPk } from '../topics/topic-store.ts'
import type { MessageFrame, ServerFrame } from './frame.ts'
import { missed, placeOf } from './missed.ts'
import { showMessage } from './show-message.ts'

type Ports = Pick<Platform, 'main' | 'objects'>

/** `topic/builds`: the messages on the topic `builds`. */
export type MessageTopic = `topic/${string}`
const beginning = 'topic/'

export const isMessageTopic = (topic: string): topic is MessageTopic => topic.startsWith(beginning)

/** Messages that are told to whoever watches their topic: those that are new. */
export const publicationOf = ({ type, before, after }: Change): Publication | undefined =>
  type === 'publication' && before === undefined ? (after?.value as Publication | undefined) : undefined

/** What whoever watches is told of a message. */
export const messageFrame = async (ports: Ports, publication: Publication): Promise<MessageFrame> => {
  const { tenant, id, topic } = publication
  const shown = await showMessage(ports, publication, publicationPk(tenant, id))
  return { type: 'message', topic: `${beginning}${topic}`, seq: placeOf(publication), ...shown }
}

/** The messages after a place of a topic, or that there are too many. Some may have been told before. */
export const missedMessages = (
  ports: Ports & Pick<Platform, 'clock'>,
  { tenant, topic, since }: { tenant: string; topic: MessageTopic; since: string },
): Promise<ServerFrame[]> =>
  missed(ports, { topic, since }, async (between) => {
    const page = await listPublications(ports, { tenant, topic: topic.slice(beginning.length) }, between)
    return {
      ...page,
      items: page.items.map(
        ({ value }) =>
          () =>
            messageFrame(ports, value),
      ),
    }
  })
