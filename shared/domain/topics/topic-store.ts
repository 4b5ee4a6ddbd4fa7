import type { Item, Key, Page, Platform, Put, Query, Stored } from '../../platform/platform.ts'
import { saveItem } from '../contention.ts'
import { dueIndex } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { sortableTime } from '../keys.ts'
import type { Match } from './match.ts'
import type { Position, Publication } from './publication.ts'
import type { Subscription } from './subscription.ts'
import { retentionMs } from './topic.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>
type Paging = { limit: number; cursor?: string }

const headKey = (tenant: string, noun: string, id: string): Key => ({ pk: `${tenant}#${noun}#${id}`, sk: 'head' })
const listPk = (tenant: string): string => `${tenant}#subscriptions`
const exactPk = (tenant: string, topic: string): string => `${tenant}#topic-subscriptions#${topic}`
const prefixPk = (tenant: string): string => `${tenant}#prefix-subscriptions`

/** What is kept of a match, and of what it was one of, after its topic has forgotten the message. */
const keepMs = 7 * 24 * 3_600_000

/** A tenant has so many subscriptions to beginnings of names at most: each message looks at all of them. */
export const mostPrefixes = 200

const subscriptionItem = (subscription: Subscription): Item<Subscription> => {
  const { tenant, id, topic, createdAt, deletedAt } = subscription
  const pk = topic.endsWith('*') ? prefixPk(tenant) : exactPk(tenant, topic)
  const index = { list: { pk: listPk(tenant), sk: `${sortableTime(createdAt)}#${id}` }, parent: { pk, sk: id } }
  return {
    ...headKey(tenant, 'subscription', id),
    type: 'subscription',
    value: subscription,
    ...(deletedAt === undefined && { index }),
  }
}

/** Stores a new subscription. `undefined`: stored; else the one that has this id already. */
export const createSubscription = async (
  ports: Ports,
  subscription: Subscription,
): Promise<Stored<Subscription> | undefined> => {
  const item = subscriptionItem(subscription)
  const outcome = await ports.main.write({ op: 'put', item, expect: 'absent', rev: newRev(ports) })
  return outcome.ok ? undefined : (outcome.conflicts[0]?.current as Stored<Subscription> | undefined)
}

export const findSubscription = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Subscription> | undefined> => {
  const found = await main.get<Subscription>(headKey(tenant, 'subscription', id))
  return found?.value.deletedAt === undefined ? found : undefined
}

/** The subscription, or `NOT_FOUND`. */
export const getSubscription = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Subscription>> => {
  const found = await findSubscription(ports, tenant, id)
  if (found === undefined) throw new DomainError('NOT_FOUND', `there is no subscription ${id}`)
  return found
}

/** Saves a changed subscription if nobody else did; `undefined`: somebody came first. */
export const saveSubscription = (
  ports: Ports,
  found: Pick<Stored, 'rev'>,
  subscription: Subscription,
): Promise<Stored<Subscription> | undefined> => saveItem(ports, found, subscriptionItem(subscription))

/** Newest first. */
export const listSubscriptions = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  page: Paging,
): Promise<Page<Subscription>> =>
  main.query<Subscription>({ index: 'list', pk: listPk(tenant), order: 'descending', ...page })

/** Those that name a topic, or that name the beginning of some: the latter may be of other topics. */
export const subscribersOf = (
  { main }: Pick<Platform, 'main'>,
  { tenant, topic }: Pick<Publication, 'tenant' | 'topic'>,
  { stage, cursor, limit }: Position & { limit: number },
): Promise<Page<Subscription>> => {
  const pk = stage === 'exact' ? exactPk(tenant, topic) : prefixPk(tenant)
  return main.query<Subscription>({ index: 'parent', pk, limit, cursor })
}

/** How many subscriptions name beginnings of names: up to one more than there may be. */
export const countPrefixes = async ({ main }: Pick<Platform, 'main'>, tenant: string): Promise<number> => {
  const page = await main.query<Subscription>({ index: 'parent', pk: prefixPk(tenant), limit: mostPrefixes + 1 })
  return page.items.length
}

export const publicationPk = (tenant: string, id: string): string => `${tenant}#publication#${id}`
const topicPk = (tenant: string, topic: string): string => `${tenant}#topic#${topic}`
const topicsPk = (tenant: string): string => `${tenant}#topics`

const publicationItem = (publication: Publication): Item<Publication> => {
  const { tenant, id, topic, createdAt, dueAt } = publication
  const sk = `${sortableTime(createdAt)}#${id}`
  return {
    ...headKey(tenant, 'publication', id),
    type: 'publication',
    value: publication,
    index: {
      list: { pk: topicsPk(tenant), sk },
      parent: { pk: topicPk(tenant, topic), sk },
      ...(dueAt !== undefined && { due: dueIndex(dueAt, tenant, id) }),
    },
    expiresAt: createdAt + keepMs,
  }
}

/** What stores a new publication with its data. */
export const publicationPuts = (ports: Ports, publication: Publication, items: Item[]): [Put, ...Put[]] => [
  { op: 'put', item: publicationItem(publication), expect: 'absent', rev: newRev(ports) },
  ...items.map((item): Put => {
    return { op: 'put', item: { ...item, expiresAt: publication.createdAt + keepMs }, expect: 'any' }
  }),
]

export const findPublication = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Publication> | undefined> => main.get<Publication>(headKey(tenant, 'publication', id))

/** Saves a changed publication if nobody else did; `undefined`: somebody came first. */
export const savePublication = (
  ports: Ports,
  found: Pick<Stored, 'rev'>,
  publication: Publication,
): Promise<Stored<Publication> | undefined> => saveItem(ports, found, publicationItem(publication))

/** The messages that are kept of what a subscription names, oldest first unless told: of a beginning of names, those of others too. */
export const listPublications = (
  { main }: Pick<Platform, 'main'>,
  { tenant, topic }: Pick<Subscription, 'tenant' | 'topic'>,
  { from, to, ...page }: Paging & { from: number; to: number } & Pick<Query, 'order'>,
): Promise<Page<Publication>> => {
  const [index, pk] = topic.endsWith('*')
    ? (['list', topicsPk(tenant)] as const)
    : (['parent', topicPk(tenant, topic)] as const)
  const between = { after: sortableTime(from), before: sortableTime(to) }
  return main.query<Publication>({ index, pk, ...between, ...page })
}

/** The first moment whose messages can be replayed. */
export const oldestKept = (now: number): number => now - retentionMs

export const matchKey = (tenant: string, id: string): Key => headKey(tenant, 'match', id)
const matchesPk = (tenant: string, subscription: string): string => `${tenant}#matches#${subscription}`
const deadPk = (tenant: string, subscription: string): string => `${tenant}#dead-matches#${subscription}`

const matchItem = (match: Match): Item<Match> => {
  const { tenant, id, subscription, createdAt, dueAt, state } = match
  const sk = `${sortableTime(createdAt)}#${id}`
  return {
    ...matchKey(tenant, id),
    type: 'match',
    value: match,
    index: {
      parent: { pk: matchesPk(tenant, subscription), sk },
      ...(state === 'DEAD' && { holder: { pk: deadPk(tenant, subscription), sk } }),
      ...(dueAt !== undefined && { due: dueIndex(dueAt, tenant, id) }),
    },
    expiresAt: createdAt + keepMs,
  }
}

/** Stores a new match; one that is there already stays as it is. */
export const createMatch = async (ports: Ports, match: Match): Promise<void> => {
  await ports.main.write({ op: 'put', item: matchItem(match), expect: 'absent', rev: newRev(ports) })
}

export const findMatch = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Match> | undefined> => main.get<Match>(matchKey(tenant, id))

/** Saves a changed match if nobody else did; `undefined`: somebody came first. */
export const saveMatch = (ports: Ports, found: Pick<Stored, 'rev'>, match: Match): Promise<Stored<Match> | undefined> =>
  saveItem(ports, found, matchItem(match))

/** Of a subscription, newest first; its dead letters alone, if asked for them. */
export const listMatches = (
  { main }: Pick<Platform, 'main'>,
  { tenant, subscription, dead, ...page }: Paging & { tenant: string; subscription: string; dead?: boolean },
): Promise<Page<Match>> =>
  dead
    ? main.query<Match>({ index: 'holder', pk: deadPk(tenant, subscription), order: 'descending', ...page })
    : main.query<Match>({ index: 'parent', pk: matchesPk(tenant, subscription), order: 'descending', ...page })

/** The same of a time, oldest first. */
export const matchesBetween = (
  { main }: Pick<Platform, 'main'>,
  { tenant, subscription }: { tenant: string; subscription: string },
  { from, to, ...page }: Paging & { from: number; to: number },
): Promise<Page<Match>> => {
  const between = { after: sortableTime(from), before: sortableTime(to) }
  return main.query<Match>({ index: 'parent', pk: matchesPk(tenant, subscription), ...between, ...page })
}
