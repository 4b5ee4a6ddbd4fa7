import { isAccepted, isTaken } from '#cli/server/faults/check/check-history.ts'
import type { Call, Finding } from '#cli/server/faults/check/history.ts'
import type { Agent } from '#shared/domain/agents/agent.ts'
import { idFromKey } from '#shared/domain/ids.ts'
import type { Letter } from '#shared/domain/inboxes/letter.ts'
import { letterIdOf } from '#shared/domain/inboxes/new-letter.ts'
import { mailboxOf } from '#shared/domain/messages/mailbox.ts'
import type { Message } from '#shared/domain/messages/message.ts'
import { isFor } from '#shared/domain/messages/spread-message.ts'
import { matchIdOf } from '#shared/domain/topics/attend-match.ts'
import type { Match } from '#shared/domain/topics/match.ts'
import type { Publication } from '#shared/domain/topics/publication.ts'
import type { Subscription } from '#shared/domain/topics/subscription.ts'
import { isTopic } from '#shared/domain/topics/topic.ts'
import { isOpen } from '../world/is-open.ts'
import type { World } from '../world/world.ts'

const lost = (message: string): Finding => ({ column: 'lost', message })

/** The records of a world by their types and ids. */
const createRecords = ({ main }: World) => {
  const byType = Map.groupBy(main.rows(), ({ type }) => type)
  const all = <V>(type: string): V[] => (byType.get(type) ?? []).map(({ value }) => value as V)
  const ids = (type: string) => new Map(all<{ id: string }>(type).map((one) => [one.id, one]))
  return {
    agents: all<Agent>('agent'),
    subscriptions: all<Subscription>('subscription'),
    letters: ids('letter') as Map<string, Letter>,
    messages: ids('message') as Map<string, Message>,
    publications: ids('publication') as Map<string, Publication>,
    matches: ids('match') as Map<string, Match>,
    tasks: ids('task'),
  }
}
type Records = ReturnType<typeof createRecords>

/** What was accepted is there, with everybody whom it is for. */
const accepted = ({ calls, restores }: World, records: Records): Finding[] => {
  const sent = calls.filter((call) => call.operation === 'sendMessage' && isAccepted(call) && !isTaken(call, restores))
  const ids = new Set(
    sent.map(({ key = '' }) => idFromKey('msg', key.split(' ')[0] ?? '', key.split(' ').slice(1).join(' '))),
  )
  return [...ids].flatMap((id) => {
    const message = records.messages.get(id)
    return message ? [] : [lost(`message ${id} was accepted and is not there`)]
  })
}

const inboxesOf = ({ agents, letters }: Records, message: Message): (readonly [string, Letter | undefined])[] => {
  const { to } = message
  const chosen = agents.filter((agent) => (to && 'agent' in to ? agent.name === to.agent : isFor(message, agent)))
  return chosen.map((agent) => [agent.name, letters.get(letterIdOf(mailboxOf(agent), message.id))] as const)
}

/** Every message has come to whom it is for. */
const brought = (records: Records): Finding[] =>
  [...records.messages.values()].flatMap((message) => {
    const { id, tenant, to } = message
    if (to && 'topic' in to)
      return records.publications.has(idFromKey('pub', tenant, `${id}\n${to.topic}`))
        ? []
        : [lost(`message ${id} never came to topic ${to.topic}`)]
    return inboxesOf(records, message).flatMap(([agent, letter]) =>
      letter ? [] : [lost(`message ${id} never came to the mailbox of ${agent}`)],
    )
  })

/** Every subscription got what it matches, and what was delivered is there. */
const matched = ({ publications, subscriptions, matches, letters, tasks }: Records): Finding[] =>
  [...publications.values()].flatMap((publication) => {
    const wanting = subscriptions.filter(
      ({ topic, target, deletedAt }) =>
        !('step' in target) && deletedAt === undefined && isTopic(topic, publication.topic),
    )
    return wanting.flatMap((subscription): Finding[] => {
      const match = matches.get(matchIdOf(subscription, publication.envelope.id))
      const what = `message ${publication.envelope.id} for subscription ${subscription.id}`
      if (match === undefined) return [lost(`${what} was never matched`)]
      const { state, became = '', reason } = match
      if (state === 'DEAD' && reason === undefined) return [lost(`${what} was given up without a reason`)]
      const isThere = !/^(ltr|tsk)_/.test(became) || letters.has(became) || tasks.has(became)
      return state === 'DELIVERED' && !isThere ? [lost(`${what} became ${became}, which is not there`)] : []
    })
  })

/** Nothing waits for ever, and what nobody got has a reason. */
const ended = ({ main }: World): Finding[] =>
  [...main.rows()].flatMap((row): Finding[] => {
    const { type, value, pk } = row
    if (['letter', 'message', 'publication', 'match'].includes(type) && isOpen(row))
      return [{ column: 'stuck', message: `${type} ${pk} still waits: ${JSON.stringify(value).slice(0, 300)}` }]
    const { state, reason } = value as Letter
    return type === 'letter' && state === 'DEAD' && reason === undefined
      ? [lost(`letter ${pk} is dead without a reason`)]
      : []
  })

/** One inbox has a message once, however often it came there. */
const once = ({ letters }: Records): Finding[] =>
  [...Map.groupBy(letters.values(), ({ inbox, envelope }) => `${envelope.id} in ${inbox}`)].flatMap(
    ([name, group]): Finding[] =>
      group.length < 2
        ? []
        : [
            {
              column: 'duplicated',
              message: `message ${name} is ${group.length} letters: ${group.map(({ id }) => id)}`,
            },
          ],
  )

/** What was accepted as the answer to a request is its answer. */
const answered = ({ calls, restores }: World, { messages }: Records): Finding[] => {
  const replies = calls.filter(
    (call) => call.operation === 'replyToMessage' && isAccepted(call) && !isTaken(call, restores),
  )
  const said = ({ digest = '{}' }: Call): string => JSON.stringify((JSON.parse(digest) as { data?: unknown }).data)
  return [...Map.groupBy(replies, ({ params }) => params.message ?? '')].flatMap(([id, group]): Finding[] => {
    const answers = [...new Set(group.map(said))]
    if (answers.length > 1)
      return [{ column: 'duplicated', message: `request ${id} was answered ${answers.join(' and ')}` }]
    const response = messages.get(messages.get(id)?.response?.id ?? '')
    const kept = response?.data.in === 'head' ? JSON.stringify(response.data.value) : undefined
    return kept === answers[0] ? [] : [lost(`request ${id} was answered ${answers[0]}, and ${kept} is kept`)]
  })
}

/** What became of everything that was said. */
export const checkMessages = (world: World): Finding[] => {
  if (!world.talks) return []
  const records = createRecords(world)
  return [
    ...accepted(world, records),
    ...brought(records),
    ...matched(records),
    ...ended(world),
    ...once(records),
    ...answered(world, records),
  ]
}
