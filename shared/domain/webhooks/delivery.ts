import type { CloudEvent } from '../../platform/platform.ts'

/** One try: the status that was answered, or why there was none. */
export type DeliveryAttempt = { at: number; ms: number; status?: number; error?: string; answer?: string }
export type DeliveryState = 'PENDING' | 'DELIVERED' | 'FAILED' | 'CANCELLED'

/** One event on its way to one webhook, or to the callback of a task. Times in milliseconds. */
export type Delivery = {
  id: string
  tenant: string
  /** The webhook, or the task whose callback it is. */
  owner: string
  event: CloudEvent
  state: DeliveryState
  attempts: DeliveryAttempt[]
  /** Attempts since it was made or asked for again: which pause comes next. */
  round: number
  dueAt?: number
  /** Digests of the last keys that it was asked for again under. */
  askedBy?: string[]
  createdAt: number
}

const second = 1000
const hour = 3_600_000
/** Pauses before the second and further attempts: some three days in all, as Standard Webhooks recommends. */
export const pausesMs = [
  5 * second,
  300 * second,
  1800 * second,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
]
/** Each pause is longer or shorter by up to this share, so that what failed together does not come again together. */
const jitter = 0.2
const keptAttempts = 20
/** While one attempt is under way nobody begins another. */
export const attemptMs = 60_000

export const succeeded = (status: number | undefined): boolean => status !== undefined && status >= 200 && status < 300

/** An attempt begins; `undefined`: there is none to make now. */
export const beginAttempt = (delivery: Delivery, now: number): Delivery | undefined =>
  delivery.state === 'PENDING' && (delivery.dueAt ?? 0) <= now ? { ...delivery, dueAt: now + attemptMs } : undefined

/** The delivery after an attempt: delivered, given up, or due again. */
export const endAttempt = (
  delivery: Delivery,
  attempt: DeliveryAttempt,
  { now, random }: { now: number; random: number },
): Delivery => {
  const attempts = [...delivery.attempts, attempt].slice(-keptAttempts)
  const ended = { ...delivery, attempts, dueAt: undefined }
  if (succeeded(attempt.status)) return { ...ended, state: 'DELIVERED' }
  const pause = pausesMs[delivery.round]
  if (attempt.status === 410 || pause === undefined) return { ...ended, state: 'FAILED' }
  const dueAt = now + Math.round(pause * (1 - jitter + 2 * jitter * random))
  return { ...ended, state: 'PENDING', round: delivery.round + 1, dueAt }
}

const keptKeys = 20

/** Sent once more, now, under the same id: a receiver that has it knows it again. Under one key once. */
export const redeliver = (delivery: Delivery, now: number, key?: string): Delivery => {
  const { askedBy = [] } = delivery
  if (key !== undefined && askedBy.includes(key)) return delivery
  const asked = key === undefined ? {} : { askedBy: [...askedBy, key].slice(-keptKeys) }
  return { ...delivery, ...asked, state: 'PENDING', round: 0, dueAt: now }
}
