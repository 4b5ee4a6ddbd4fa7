import { createHash } from 'node:crypto'
import type {
  ChoiceState,
  FailState,
  Json,
  MapState,
  ParallelState,
  PassState,
  State,
  SucceedState,
  TaskState,
  WaitState,
} from './asl.ts'
import { limited } from './data-limit.ts'
import type { Draft } from './draft.ts'
import type { Frame, Phase } from './execution.ts'
import { bindingsOf, type More, type Tools } from './scope.ts'
import { StatesError } from './states-error.ts'

type Results = { Assign?: Record<string, Json>; Output?: Json }

/** What became of a try of a state: it is left with a result, or it waits. */
export type Attempt =
  | { kind: 'left'; result: Json; by?: Results; next?: string }
  | { kind: 'waits'; phase: Phase; send?: Json }
  | { kind: 'sent'; result: Json; send: Json }

type Try<S extends State> = { draft: Draft; tools: Tools; frame: Frame; state: S }

const mostSeconds = 99_999_999
/** As in Step Functions. https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html */
const mostAtOnce = 40
const sendMessage = 'arn:aws:states:::sqs:sendMessage'

const evaluated = <S extends State>(one: Try<S>, template: Json | undefined, more?: More): Promise<Json> =>
  one.tools.evaluate(template, bindingsOf(one.draft, one.frame, more))

const refuse = (field: string, expected: string, received: Json): never => {
  throw new StatesError(
    'States.QueryEvaluationError',
    `${field} takes ${expected}; received ${JSON.stringify(received).slice(0, 200)}`,
  )
}

const integer = async <S extends State>(
  one: Try<S>,
  field: string,
  template: Json | undefined,
  least = 0,
): Promise<number | undefined> => {
  if (template === undefined) return undefined
  const value = await evaluated(one, template)
  const isRight = Number.isInteger(value) && (value as number) >= least && (value as number) <= mostSeconds
  return isRight ? (value as number) : refuse(field, `a whole number from ${least} on`, value)
}

const pass = async ({ frame }: Try<PassState | SucceedState>): Promise<Attempt> => ({
  kind: 'left',
  result: frame.input,
})

const wait = async (one: Try<WaitState>): Promise<Attempt> => {
  const seconds = await integer(one, 'Seconds', one.state.Seconds)
  const until = seconds === undefined ? await timestamp(one) : one.draft.now + seconds * 1000
  return { kind: 'waits', phase: { kind: 'wait', until } }
}

const timestampPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

const timestamp = async (one: Try<WaitState>): Promise<number> => {
  const value = await evaluated(one, one.state.Timestamp)
  const at = typeof value === 'string' && timestampPattern.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? refuse('Timestamp', 'a time such as 2026-01-31T12:00:00Z', value) : at
}

const choose = async (one: Try<ChoiceState>): Promise<Attempt> => {
  const { state, frame } = one
  for (const rule of state.Choices) {
    const holds = await evaluated(one, rule.Condition)
    if (typeof holds !== 'boolean') refuse('Condition', 'true or false', holds)
    if (holds) return { kind: 'left', result: frame.input, by: rule, next: rule.Next }
  }
  if (state.Default === undefined) throw new StatesError('States.NoChoiceMatched', `nothing of ${frame.state} holds`)
  return { kind: 'left', result: frame.input, next: state.Default }
}

const giveUp = async (one: Try<FailState>): Promise<Attempt> => {
  const [error, cause] = [await evaluated(one, one.state.Error ?? ''), await evaluated(one, one.state.Cause ?? '')]
  if (typeof error !== 'string') refuse('Error', 'a text', error)
  if (typeof cause !== 'string') refuse('Cause', 'a text', cause)
  throw new StatesError(String(error), String(cause))
}

const bodyOf = (parameters: Json): Json => {
  const body =
    parameters !== null && typeof parameters === 'object' && !Array.isArray(parameters) && parameters.MessageBody
  return body === undefined || body === false ? refuse('Arguments', 'an object with MessageBody', parameters) : body
}

/** What SQS answers, as far as it means something here. */
const receiptOf = (body: Json, id: string): Json => ({
  MessageId: id,
  MD5OfMessageBody: createHash('md5')
    .update(typeof body === 'string' ? body : JSON.stringify(body))
    .digest('hex'),
})

const task = async (one: Try<TaskState>): Promise<Attempt> => {
  const { state, draft, frame, tools } = one
  const token = tools.mintToken(frame.path)
  const parameters = async (more?: More) => bodyOf(limited(await evaluated(one, state.Arguments, more), 'Arguments'))
  if (state.Resource === sendMessage) {
    const send = await parameters()
    return { kind: 'sent', send, result: receiptOf(send, token.slice(-22)) }
  }
  if (state.Resource !== `${sendMessage}.waitForTaskToken`)
    throw new StatesError('States.Runtime', `resource ${state.Resource} is not known; there is ${sendMessage}`)
  const seconds = await integer(one, 'TimeoutSeconds', state.TimeoutSeconds, 1)
  const heartbeat = await integer(one, 'HeartbeatSeconds', state.HeartbeatSeconds, 1)
  const phase: Phase = {
    kind: 'task',
    token,
    ...(seconds !== undefined && { timeoutAt: draft.now + seconds * 1000 }),
    ...(heartbeat !== undefined && { heartbeatMs: heartbeat * 1000, heartbeatAt: draft.now + heartbeat * 1000 }),
  }
  return { kind: 'waits', phase, send: await parameters({ token }) }
}

const parallel = async (): Promise<Attempt> => ({ kind: 'waits', phase: { kind: 'parallel' } })

const map = async (one: Try<MapState>): Promise<Attempt> => {
  const { state, frame } = one
  const items = state.Items === undefined ? frame.input : await evaluated(one, state.Items)
  if (!Array.isArray(items)) return refuse('Items', 'a list', items)
  const limit = await integer(one, 'MaxConcurrency', state.MaxConcurrency)
  const phase: Phase = {
    kind: 'map',
    items: limited(items, 'Items'),
    limit: Math.min(limit || mostAtOnce, mostAtOnce),
    tolerated: {
      count: await integer(one, 'ToleratedFailureCount', state.ToleratedFailureCount),
      percentage: await integer(one, 'ToleratedFailurePercentage', state.ToleratedFailurePercentage),
    },
  }
  return { kind: 'waits', phase }
}

type Row = (one: Try<never>) => Promise<Attempt>
const rows: Record<State['Type'], Row> = {
  Pass: pass,
  Succeed: pass,
  Wait: wait,
  Choice: choose,
  Fail: giveUp,
  Task: task,
  Parallel: parallel,
  Map: map,
}

/** Tries the state that a frame is in, once; throws what it fails with. */
export const attempt = (one: Try<State>): Promise<Attempt> => rows[one.state.Type](one as Try<never>)

/** What the branches of a state begin with. */
export const branchInput = async (one: Try<ParallelState | MapState>, index: number): Promise<Json> => {
  const { state, frame } = one
  if (state.Type === 'Parallel') return state.Arguments === undefined ? frame.input : evaluated(one, state.Arguments)
  const Value = frame.phase.kind === 'map' ? (frame.phase.items[index] ?? null) : null
  if (state.ItemSelector === undefined) return Value
  return evaluated(one, state.ItemSelector, { item: { Index: index, Value } })
}
