import type { Item, Key, Platform } from '../../platform/platform.ts'
import { DomainError } from '../domain-error.ts'
import { digest } from '../ids.ts'
import { taskPk } from '../tasks/task-store.ts'

/** One request to the input of a task; the same key with the same body is the same request. */
export type KeyedRequest = { tenant: string; task: string; idempotencyKey?: string; body: string }

type Done<A> = { body: string; answer: A }

const keyOf = ({ tenant, task }: KeyedRequest, key: string): Key => ({
  pk: taskPk(tenant, task),
  sk: `input-key#${digest(key)}`,
})

/** What the same request was answered; `undefined`: it did not happen yet. Another body under its key is a conflict. */
export const wasDone = async <A>(
  { main }: Pick<Platform, 'main'>,
  request: KeyedRequest,
): Promise<{ answer: A } | undefined> => {
  const { idempotencyKey: key, body, task } = request
  if (key === undefined) return undefined
  const done = (await main.get<Done<A>>(keyOf(request, key)))?.value
  if (done === undefined || done.body === body) return done
  throw new DomainError(
    'IDEMPOTENCY_CONFLICT',
    `the idempotency key ${key} was used for other input of task ${task}; use a new key for new input`,
  )
}

/** To be written together with what the request does. */
export const keyItem = (request: KeyedRequest, answer: unknown): Item[] =>
  request.idempotencyKey === undefined
    ? []
    : [{ ...keyOf(request, request.idempotencyKey), type: 'input-key', value: { body: request.body, answer } }]
