import type { Platform, Stored } from '../../platform/platform.ts'
import { type Caller, type Stamp, stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { DomainError, invalid } from '../domain-error.ts'
import { digest, idFor } from '../ids.ts'
import { requireSame } from '../require-same.ts'
import { sideBySide } from '../side-by-side.ts'
import { matchIdOf, takeMatch } from './attend-match.ts'
import { loadEvent } from './load-event.ts'
import type { Publication } from './publication.ts'
import { createReplay, findReplay, saveReplay } from './replay-store.ts'
import type { Subscription } from './subscription.ts'
import type { TopicPorts, TopicTools } from './targets.ts'
import { isTopic } from './topic.ts'
import { findMatch, findSubscription, getSubscription, listPublications, oldestKept } from './topic-store.ts'
import { wants } from './wants.ts'

/** The messages of a time, once more for one subscription. Times in milliseconds. */
export type Replay = {
  id: string
  tenant: string
  subscription: string
  from: number
  to: number
  state: 'RUNNING' | 'ENDED'
  cursor?: string
  /** Messages that were given again. */
  matched: number
  dueAt?: number
  createdAt: number
  asked: string
  stamp: Stamp
}

const pageSize = 100
const width = 25
const passMs = 20_000
const claimMs = 30_000

type StartPorts = Pick<Platform, 'main' | 'queues' | 'clock' | 'random' | 'telemetry'>

/** Gives a subscription what was published from a time on until now, once more. */
export const startReplay = async (
  ports: StartPorts,
  caller: Caller,
  id: string,
  { from, idempotencyKey }: { from: number; idempotencyKey?: string },
): Promise<Replay> => {
  const { tenant } = caller
  const now = ports.clock.now()
  await getSubscription(ports, tenant, id)
  const oldest = oldestKept(now)
  const key = idempotencyKey && `${id}\n${idempotencyKey}`
  const replay: Replay = {
    id: idFor('rpl', tenant, key, ports),
    tenant,
    subscription: id,
    from,
    to: now,
    state: 'RUNNING',
    matched: 0,
    dueAt: now,
    createdAt: now,
    asked: digest({ from }),
    stamp: stamp(caller, 'subscription.replay'),
  }
  const before = key === undefined ? undefined : await findReplay(ports, tenant, replay.id)
  if (before === undefined && (from < oldest || from > now))
    throw invalid(
      '#/from',
      'RANGE',
      `messages are kept for a day: give a time from ${new Date(oldest).toISOString()} on, and not in the future`,
    )
  const existing = before?.value ?? (await createReplay(ports, replay))
  if (existing) requireSame(`replay ${existing.id}`, idempotencyKey, { before: existing.asked, now: replay.asked })
  if (existing === undefined) await remind(ports, { tenant, id: replay.id, at: now })
  return existing ?? replay
}

/** One message of a page, unless it was given in this replay before. */
const again = async (
  ports: TopicPorts,
  {
    replay,
    subscription,
    publication,
  }: { replay: Replay; subscription: Stored<Subscription>; publication: Publication },
  tools: TopicTools,
): Promise<boolean> => {
  const event = await loadEvent(ports, publication)
  if (!wants(ports, subscription)(event)) return false
  const match = matchIdOf(subscription.value, event.id, replay.id)
  const given = await findMatch(ports, replay.tenant, match)
  const one = { publication: publication.id, subscription: subscription.value, event, replay: replay.id }
  if (given === undefined) await takeMatch(ports, one, tools)
  return true
}

const step = async (
  ports: TopicPorts,
  current: Stored<Replay>,
  subscription: Stored<Subscription>,
  tools: TopicTools,
): Promise<Stored<Replay> | undefined> => {
  const { value: replay } = current
  const { from, to, cursor } = replay
  const page = await listPublications(ports, subscription.value, { from, to, cursor, limit: pageSize })
  const mine = page.items.filter(({ value }) => isTopic(subscription.value.topic, value.topic))
  let matched = 0
  await sideBySide(mine, width, async ({ value }) => {
    if (await again(ports, { replay, subscription, publication: value }, tools)) matched++
  })
  const next = { ...replay, matched: replay.matched + matched, cursor: page.cursor }
  return saveReplay(ports, current, page.cursor === undefined ? ended(next) : { ...next, dueAt: claimUntil(ports) })
}

const ended = (replay: Replay): Replay => ({ ...replay, state: 'ENDED', dueAt: undefined, cursor: undefined })
const claimUntil = ({ clock }: Pick<Platform, 'clock'>): number => clock.now() + claimMs

/** Goes on with a replay, page by page, in the order of the messages' times. */
export const attendReplay = async (
  ports: TopicPorts,
  tools: TopicTools,
  { tenant, id }: { tenant: string; id: string },
): Promise<void> => {
  const found = await findReplay(ports, tenant, id)
  const now = ports.clock.now()
  if (found === undefined || found.value.state === 'ENDED' || (found.value.dueAt ?? 0) > now) return
  const subscription = await findSubscription(ports, tenant, found.value.subscription)
  if (subscription === undefined) return void (await saveReplay(ports, found, ended(found.value)))
  let current = await saveReplay(ports, found, { ...found.value, dueAt: claimUntil(ports) })
  while (current?.value.state === 'RUNNING' && ports.clock.now() < now + passMs)
    current = await step(ports, current, subscription, tools)
  if (current === undefined || current.value.state === 'ENDED') return
  const left = await saveReplay(ports, current, { ...current.value, dueAt: ports.clock.now() })
  if (left) await remind(ports, { tenant, id, at: ports.clock.now() })
}

/** A replay of a subscription, or `NOT_FOUND`. */
export const getReplay = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  { subscription, id }: { subscription: string; id: string },
): Promise<Replay> => {
  const found = await findReplay(ports, tenant, id)
  if (found?.value.subscription === subscription) return found.value
  throw new DomainError('NOT_FOUND', `there is no replay ${id} of ${subscription}`)
}
