import type { OperationOf } from '#shared/contracts/operations.ts'
import type { MatchResponse, ReplayResponse, SubscriptionResponse, TargetBody } from '#shared/contracts/topics.ts'
import { deleteSubscription, makeSubscription } from '#shared/domain/topics/change-subscription.ts'
import type { Match } from '#shared/domain/topics/match.ts'
import { redriveMatches } from '#shared/domain/topics/redrive.ts'
import { getReplay, type Replay, startReplay } from '#shared/domain/topics/replay.ts'
import type { Subscription, Target } from '#shared/domain/topics/subscription.ts'
import { getSubscription, listMatches, listSubscriptions } from '#shared/domain/topics/topic-store.ts'
import type { Stored } from '#shared/platform/platform.ts'
import { idempotencyKey, ifMatch, iso, toETag } from '../../headers.ts'
import type { Handler } from '../../operation.ts'

/** Exactly one kind is named: the schema has checked it. */
const toTarget = (body: TargetBody): Target =>
  ('capability' in body ? { ...body, input: body.input ?? 'data' } : body) as Target

const toSubscription = ({
  id,
  topic,
  pattern,
  target,
  description,
  createdAt,
}: Subscription): SubscriptionResponse => ({
  id,
  topic,
  ...(pattern && { pattern }),
  target,
  ...(description !== undefined && { description }),
  createdAt: iso(createdAt),
})

const toMatch = ({ id, message, replay, state, tries, became, reason, dueAt, createdAt }: Match): MatchResponse => ({
  id,
  message,
  ...(replay !== undefined && { replay }),
  state,
  tries,
  ...(became !== undefined && { became }),
  ...(reason && { reason }),
  ...(dueAt !== undefined && { nextTryAt: iso(dueAt) }),
  createdAt: iso(createdAt),
})

const toReplay = ({ id, subscription, from, to, state, matched, createdAt }: Replay): ReplayResponse => ({
  id,
  subscription,
  from: iso(from),
  to: iso(to),
  state,
  matched,
  createdAt: iso(createdAt),
})

const reply = (status: number, { value, rev }: Stored<Subscription>) => ({
  status,
  body: toSubscription(value),
  headers: { etag: toETag(rev), ...(status === 201 && { location: `/api/v2/subscriptions/${value.id}` }) },
})

const create: Handler<OperationOf<'createSubscription'>> = async ({ platform }, { caller, body, headers }) => {
  const command = { ...body, target: toTarget(body.target), idempotencyKey: idempotencyKey(headers) }
  return reply(201, await makeSubscription(platform, caller, command))
}

const list: Handler<OperationOf<'listSubscriptions'>> = async ({ platform }, { caller, query }) => {
  const page = await listSubscriptions(platform, caller.tenant, query)
  return {
    status: 200,
    body: { items: page.items.map(({ value }) => toSubscription(value)), nextCursor: page.cursor ?? null },
  }
}

const get: Handler<OperationOf<'getSubscription'>> = async ({ platform }, { caller, params }) =>
  reply(200, await getSubscription(platform, caller.tenant, params.subscription ?? ''))

const remove: Handler<OperationOf<'deleteSubscription'>> = async ({ platform }, { caller, params, headers }) => {
  await deleteSubscription(platform, caller, params.subscription ?? '', ifMatch(headers))
  return { status: 204 }
}

const matches: Handler<OperationOf<'listMatches'>> = async ({ platform }, { caller, params, query }) => {
  const { tenant } = caller
  const { subscription = '' } = params
  await getSubscription(platform, tenant, subscription)
  const { state, ...paging } = query
  const page = await listMatches(platform, { tenant, subscription, dead: state === 'DEAD', ...paging })
  return {
    status: 200,
    body: { items: page.items.map(({ value }) => toMatch(value)), nextCursor: page.cursor ?? null },
  }
}

const redrive: Handler<OperationOf<'redriveMatches'>> = async ({ platform }, { caller, params, body }) => {
  const redriven = await redriveMatches(platform, caller, params.subscription ?? '', body.limit)
  return { status: 202, body: { redriven } }
}

const replay: Handler<OperationOf<'startReplay'>> = async ({ platform }, { caller, params, body, headers }) => {
  const { subscription = '' } = params
  const command = { from: Date.parse(body.from), idempotencyKey: idempotencyKey(headers) }
  const started = await startReplay(platform, caller, subscription, command)
  const location = `/api/v2/subscriptions/${subscription}/replays/${started.id}`
  return { status: 202, body: toReplay(started), headers: { location } }
}

const describeReplay: Handler<OperationOf<'getReplay'>> = async ({ platform }, { caller, params }) => {
  const { subscription = '', replay: id = '' } = params
  return { status: 200, body: toReplay(await getReplay(platform, caller.tenant, { subscription, id })) }
}

export const topicHandlers = {
  createSubscription: create,
  listSubscriptions: list,
  getSubscription: get,
  deleteSubscription: remove,
  listMatches: matches,
  redriveMatches: redrive,
  startReplay: replay,
  getReplay: describeReplay,
}
