import type { Change, Platform } from '../../platform/platform.ts'
import type { Match } from '../topics/match.ts'
import { findPublication, matchesBetween, publicationPk } from '../topics/topic-store.ts'
import type { ServerFrame } from './frame.ts'
import { missed, placeOf } from './missed.ts'
import { showMessage } from './show-message.ts'

type Ports = Pick<Platform, 'main' | 'objects'>

/** `subscription/sub_…`: the messages that a subscription matched, whatever its target is. */
export type MatchTopic = `subscription/${string}`
const beginning = 'subscription/'

export const isMatchTopic = (topic: string): topic is MatchTopic => topic.startsWith(beginning)
export const matchTopicOf = (subscription: string): MatchTopic => `${beginning}${subscription}`
export const subscriptionOf = (topic: MatchTopic): string => topic.slice(beginning.length)

/** Matches that are told: those that are new, also of a replay. */
export const matchOf = ({ type, before, after }: Change): Match | undefined =>
  type === 'match' && before === undefined ? (after?.value as Match | undefined) : undefined

/** What whoever watches is told of a match: the message. */
export const matchFrame = async (ports: Ports, match: Match): Promise<ServerFrame> => {
  const { tenant, subscription, publication: id } = match
  const topic = matchTopicOf(subscription)
  const publication = (await findPublication(ports, tenant, id))?.value
  if (publication === undefined) return { type: 'resync', topic }
  const shown = await showMessage(ports, publication, publicationPk(tenant, id))
  return { type: 'message', topic, seq: placeOf(match), ...shown }
}

/** The matches after a place, or that there are too many. Some may have been told before. */
export const missedMatches = (
  ports: Ports & Pick<Platform, 'clock'>,
  { tenant, topic, since }: { tenant: string; topic: MatchTopic; since: string },
): Promise<ServerFrame[]> =>
  missed(ports, { topic, since }, async (between) => {
    const page = await matchesBetween(ports, { tenant, subscription: subscriptionOf(topic) }, between)
    return {
      ...page,
      items: page.items.map(
        ({ value }) =>
          () =>
            matchFrame(ports, value),
      ),
    }
  })
