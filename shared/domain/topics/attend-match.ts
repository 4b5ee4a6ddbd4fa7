import type { CloudEvent } from '../../platform/platform.ts'
import { isForGood, PlatformError, sentenceOf } from '../../platform/platform-error.ts'
import { remind } from '../dispatch/due.ts'
import { DomainError, type DomainErrorCode, sentenceOfRefusal } from '../domain-error.ts'
import { idFromKey } from '../ids.ts'
import { loadEvent } from './load-event.ts'
import { arrive, giveUp, type Match, putOff } from './match.ts'
import type { Subscription } from './subscription.ts'
import { deliver, type TopicPorts, type TopicTools } from './targets.ts'
import { createMatch, findMatch, findPublication, findSubscription, saveMatch } from './topic-store.ts'

/** Refusals that are others a while later. */
const passing: DomainErrorCode[] = ['CONTENDED', 'RATE_LIMITED', 'INPUT_FULL', 'MAILBOX_FULL', 'BUDGET']

const isFinal = (error: unknown): boolean =>
  error instanceof DomainError ? !passing.includes(error.code) : isForGood(error)

/** What the owner of the subscription is told: of an unknown error no more than that it is one. */
const reasonOf = (error: unknown): { code: string; message: string } => {
  if (error instanceof PlatformError) return { code: error.code, message: sentenceOf(error) }
  if (!(error instanceof DomainError)) return { code: 'INTERNAL', message: 'internal error; the server log has it' }
  return { code: error.code, message: sentenceOfRefusal(error) }
}

type Matched = { match: Match; subscription: Subscription; event: CloudEvent }

/** The match after one more try. */
const tryOnce = async (ports: TopicPorts, { match, ...found }: Matched, tools: TopicTools): Promise<Match> => {
  try {
    return arrive(match, await deliver(ports, { id: match.id, replay: match.replay, ...found }, tools))
  } catch (error) {
    const reason = reasonOf(error)
    if (!(error instanceof DomainError))
      ports.telemetry.log('error', 'a match was not delivered', { id: match.id, error: String(error) })
    if (isFinal(error)) return giveUp(match, reason)
    return putOff(match, reason, { now: ports.clock.now(), random: ports.random.number() })
  }
}

/** The same for one message, subscription and replay: what was delivered once is known again. */
export const matchIdOf = ({ tenant, id }: Subscription, message: string, replay = ''): string =>
  idFromKey('mat', tenant, [id, message, replay].join('\n'))

/** Delivers a message that a subscription matched, and records what became of it. */
export const takeMatch = async (
  ports: TopicPorts,
  { publication, subscription, event, replay }: Omit<Matched, 'match'> & { publication: string; replay?: string },
  tools: TopicTools,
): Promise<void> => {
  const { tenant } = subscription
  const match: Match = {
    id: matchIdOf(subscription, event.id, replay),
    tenant,
    subscription: subscription.id,
    publication,
    message: event.id,
    ...(replay !== undefined && { replay }),
    state: 'PENDING',
    tries: 0,
    createdAt: ports.clock.now(),
  }
  const tried = await tryOnce(ports, { match, subscription, event }, tools)
  await createMatch(ports, tried)
  await remindOf(ports, tried)
}

const remindOf = async (ports: TopicPorts, { tenant, id, dueAt }: Match): Promise<void> => {
  if (dueAt !== undefined) await remind(ports, { tenant, id, at: dueAt })
}

/** Tries once more what a target did not take, when it is due. */
export const attendMatch = async (
  ports: TopicPorts,
  tools: TopicTools,
  { tenant, id }: { tenant: string; id: string },
): Promise<void> => {
  const found = await findMatch(ports, tenant, id)
  const match = found?.value
  if (match === undefined || match.state !== 'PENDING' || (match.dueAt ?? 0) > ports.clock.now()) return
  const [subscription, publication] = await Promise.all([
    findSubscription(ports, tenant, match.subscription),
    findPublication(ports, tenant, match.publication),
  ])
  const gone = { code: 'NOT_FOUND', message: `its ${subscription ? 'message' : 'subscription'} is gone` }
  const next =
    subscription && publication
      ? await tryOnce(
          ports,
          { match, subscription: subscription.value, event: await loadEvent(ports, publication.value) },
          tools,
        )
      : giveUp(match, gone)
  const saved = found && (await saveMatch(ports, found, next))
  if (saved) await remindOf(ports, saved.value)
}
