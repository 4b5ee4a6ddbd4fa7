import type { CloudEvent, Platform, Stored } from '../../platform/platform.ts'
import type { Stamp } from '../caller.ts'

/**
 * `until` (ms): it was replaced, and signs as well until then. `key`: digest of the idempotency key that it was made
 * under, `asked` of what was asked for with that.
 */
export type WebhookSecret = { value: string; until?: number; key?: string; asked?: string }

export type Webhook = {
  id: string
  tenant: string
  url: string
  /** `task.succeeded`, `task.*`, `*` … */
  events: string[]
  capability?: string
  labels?: Record<string, string>
  description?: string
  /** Newest first. They must be had to sign with. */
  secrets: WebhookSecret[]
  /** Digests of the keys of secrets that are over, newest first. */
  spentKeys?: string[]
  state: 'ACTIVE' | 'DISABLED'
  disabledReason?: string
  /** Deliveries in a row that were given up. */
  givenUp: number
  createdAt: number
  updatedAt: number
  deletedAt?: number
  /** Digest of what was asked for, to tell a repeated creation from another one. */
  created: string
  stamp: Stamp
}

/** So many deliveries in a row are given up before a webhook is disabled. */
export const mostGivenUp = 5
/** How long a replaced secret signs as well. */
export const graceMs = 24 * 3_600_000

/** The short name of an event: `io.devcycle.task.succeeded.v1` is `task.succeeded`. */
export const shortType = (type: string): string => type.replace(/^io\.devcycle\./, '').replace(/\.v\d+$/, '')

const matchesType = (wanted: string, type: string): boolean =>
  wanted === '*' || wanted === type || (wanted.endsWith('.*') && type.startsWith(wanted.slice(0, -1)))

/** Whether a webhook is told of an event. */
export const wants = ({ events, capability, labels, state, deletedAt }: Webhook, event: CloudEvent): boolean => {
  const data = event.data as { capability?: string; labels?: Record<string, string> }
  return (
    state === 'ACTIVE' &&
    deletedAt === undefined &&
    events.some((wanted) => matchesType(wanted, shortType(event.type))) &&
    (capability === undefined || data.capability === capability) &&
    Object.entries(labels ?? {}).every(([key, value]) => data.labels?.[key] === value)
  )
}

/** Whether a secret signs now. */
export const isInForce = ({ until }: WebhookSecret, now: number): boolean => until === undefined || until > now

/** The secrets that sign now. */
export const signingSecrets = ({ secrets }: Pick<Webhook, 'secrets'>, now: number): string[] =>
  secrets.filter((one) => isInForce(one, now)).map(({ value }) => value)

/** The secret that it was made with, for whoever repeats the creation since the answer was lost: for a day, and until another one replaces it. */
export const firstSecret = (
  { secrets, createdAt }: Pick<Webhook, 'secrets' | 'createdAt'>,
  now: number,
): string | undefined => (secrets.length === 1 && now < createdAt + graceMs ? secrets[0]?.value : undefined)

/** What was made, with the secret that is told with its creation. */
export type Made<T> = { made: Stored<T>; secret?: string }

/** What was made before, for whoever repeats its creation. */
export const toldAgain = <T extends Pick<Webhook, 'secrets' | 'createdAt'>>(
  { clock }: Pick<Platform, 'clock'>,
  made: Stored<T>,
): Made<T> => ({ made, secret: firstSecret(made.value, clock.now()) })

/** A webhook after a delivery came to its end: too many given up in a row disable it, as does `410 Gone`. */
export const afterDelivery = (webhook: Webhook, end: 'DELIVERED' | 'FAILED' | 'GONE'): Webhook => {
  if (end === 'DELIVERED') return webhook.givenUp === 0 ? webhook : { ...webhook, givenUp: 0 }
  if (end === 'GONE') return { ...webhook, state: 'DISABLED', disabledReason: 'it answered 410 Gone' }
  const givenUp = webhook.givenUp + 1
  return givenUp < mostGivenUp
    ? { ...webhook, givenUp }
    : { ...webhook, givenUp, state: 'DISABLED', disabledReason: `${givenUp} deliveries in a row were given up` }
}
