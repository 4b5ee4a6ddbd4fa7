import type { CloudEvent, Platform, Stored } from '../../../platform/platform.ts'
import { sideBySide } from '../../side-by-side.ts'
import { loadEvent } from '../../topics/load-event.ts'
import type { Publication } from '../../topics/publication.ts'
import type { Subscription } from '../../topics/subscription.ts'
import { isTopic } from '../../topics/topic.ts'
import { listPublications, oldestKept } from '../../topics/topic-store.ts'
import { wants } from '../../topics/wants.ts'
import type { Run } from '../run.ts'
import { untaken } from './taken-event.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'clock'>

/** So many of the newest messages are looked through: a topic may have millions. */
const most = 1000
const pageSize = 100
const width = 25

/** What a step of the run put on a topic itself is no answer to it. */
const isOwn = ({ envelope, stamp }: Publication, run: Run): boolean =>
  envelope.run === run.id && stamp.action === 'run.message'

/**
 * The first message since its run began that a waiting step would have been ended by, had it waited then, and that ended
 * none. Of a topic with more messages than `most` the newest are looked through.
 */
export const findEarlier = async (
  ports: Ports,
  run: Run,
  { id, subscription }: { id: string; subscription: Stored<Subscription> },
): Promise<CloudEvent | undefined> => {
  const to = ports.clock.now() + 1
  const from = Math.max(run.startedAt, oldestKept(to))
  let first: CloudEvent | undefined
  let cursor: string | undefined
  for (let looked = 0; looked < most; looked += pageSize) {
    const page = await listPublications(ports, subscription.value, {
      from,
      to,
      cursor,
      limit: pageSize,
      order: 'descending',
    })
    const publications = page.items.map(({ value }) => value).filter((one) => isFor(one, run, subscription.value))
    first = (await wanted(ports, { run, id, subscription }, publications)).at(-1) ?? first
    cursor = page.cursor
    if (cursor === undefined) break
  }
  return first
}

const isFor = (one: Publication, run: Run, { topic }: Subscription): boolean =>
  isTopic(topic, one.topic) && !isOwn(one, run)

type Waiting = { run: Run; id: string; subscription: Stored<Subscription> }

/** Those that the step is ended by, in the order that they are given in. */
const wanted = async (ports: Ports, { run, id, subscription }: Waiting, some: Publication[]): Promise<CloudEvent[]> => {
  const events: (CloudEvent | undefined)[] = []
  await sideBySide([...some.entries()], width, async ([at, publication]) => {
    const event = await loadEvent(ports, publication)
    if (wants(ports, subscription)(event)) events[at] = event
  })
  const matching = events.filter((event) => event !== undefined)
  return untaken(ports, { tenant: run.tenant, run: run.id, id }, matching)
}
