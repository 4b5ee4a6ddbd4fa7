import type { CloudEvent, Stored } from '../../platform/platform.ts'
import { remind } from '../dispatch/due.ts'
import { sideBySide } from '../side-by-side.ts'
import { matchIdOf, takeMatch } from './attend-match.ts'
import { loadEvent } from './load-event.ts'
import type { Position, Publication } from './publication.ts'
import type { Subscription } from './subscription.ts'
import type { TopicPorts, TopicTools } from './targets.ts'
import { isTopic } from './topic.ts'
import { findPublication, matchKey, savePublication, subscribersOf } from './topic-store.ts'
import { wants } from './wants.ts'

/** Subscriptions that are looked at between two records of how far it came. */
const pageSize = 100
const width = 25
/** How long one pass works before it lets others, and is alone without a sign of life. */
const passMs = 20_000
const claimMs = 30_000

/** The subscriptions of a page that have not been given the message before. */
const fresh = async (
  { main }: Pick<TopicPorts, 'main'>,
  subscriptions: Subscription[],
  message: string,
): Promise<Subscription[]> => {
  const keys = subscriptions.map((one) => matchKey(one.tenant, matchIdOf(one, message)))
  const known = keys.length === 0 ? [] : await main.getMany(keys)
  return subscriptions.filter((_, at) => known[at] === undefined)
}

const nextPosition = ({ stage }: Position, cursor: string | undefined): Position | undefined => {
  if (cursor !== undefined) return { stage, cursor }
  return stage === 'exact' ? { stage: 'prefix' } : undefined
}

/** One page of subscriptions. */
const step = async (
  ports: TopicPorts,
  { publication, event }: { publication: Stored<Publication>; event: CloudEvent },
  tools: TopicTools,
): Promise<Stored<Publication> | undefined> => {
  const { value } = publication
  const position = value.position ?? { stage: 'exact' }
  const page = await subscribersOf(ports, value, { ...position, limit: pageSize })
  const matching = page.items
    .filter((one) => isTopic(one.value.topic, value.topic) && wants(ports, one)(event))
    .map((one) => one.value)
  const open = await fresh(ports, matching, event.id)
  await sideBySide(open, width, (subscription) =>
    takeMatch(ports, { publication: value.id, subscription, event }, tools),
  )
  const next = nextPosition(position, page.cursor)
  return savePublication(ports, publication, {
    ...value,
    position: next,
    matched: value.matched + matching.length,
    dueAt: next && ports.clock.now() + claimMs,
  })
}

/**
 * Gives a message to every subscription that matches it, page by page. Whoever breaks off is followed by another, who goes
 * on with the page: what was given is not given again.
 */
export const attendPublication = async (
  ports: TopicPorts,
  tools: TopicTools,
  { tenant, id }: { tenant: string; id: string },
): Promise<void> => {
  const found = await findPublication(ports, tenant, id)
  const now = ports.clock.now()
  if (found?.value.position === undefined || (found.value.dueAt ?? 0) > now) return
  let current = await savePublication(ports, found, { ...found.value, dueAt: now + claimMs })
  const event = await loadEvent(ports, found.value)
  while (current?.value.position && ports.clock.now() < now + passMs)
    current = await step(ports, { publication: current, event }, tools)
  if (current?.value.position === undefined) return
  const again = await savePublication(ports, current, { ...current.value, dueAt: ports.clock.now() })
  if (again) await remind(ports, { tenant, id, at: ports.clock.now() })
}
