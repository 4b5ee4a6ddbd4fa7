import { type Refused, refuse } from '../domain-error.ts'
import { graceMs, isInForce, type Webhook, type WebhookSecret } from './webhook.ts'

/** So many secrets sign at once. */
const mostSecrets = 10
/** So many keys of secrets that are over are remembered: those of ten days at least. */
const mostSpent = 100

/** Whoever has secrets: a webhook, or a hook. */
type Owner = Pick<Webhook, 'secrets' | 'spentKeys'>

/**
 * A new secret; each one before signs as well until its day is over, so that the other side can change over. None is cut
 * short by many rotations: then there is no further one. Under a key that made one in force nothing changes.
 */
export const rotateSecret = <T extends Owner>(owner: T, next: WebhookSecret, now: number): T | Refused => {
  const made = secretUnder(owner, next.key)
  if (made && isInForce(made, now)) return made.asked === next.asked ? owner : refuseOther()
  if (made ?? isSpent(owner, next.key)) return refuseSpent()
  const before = owner.secrets
    .filter((one) => isInForce(one, now))
    .map((one) => ({ ...one, until: one.until ?? now + graceMs }))
  if (before.length < mostSecrets)
    return { ...owner, secrets: [next, ...before], spentKeys: spentKeysOf(owner, before.length) }
  return refuseMore(Math.min(...before.map(({ until }) => until)))
}

/** The secret that was made under a key, in force or just over. */
export const secretUnder = ({ secrets }: Owner, key: string | undefined): WebhookSecret | undefined =>
  key === undefined ? undefined : secrets.find((one) => one.key === key)

const isSpent = ({ spentKeys = [] }: Owner, key: string | undefined): true | undefined =>
  (key !== undefined && spentKeys.includes(key)) || undefined

/** With the keys of all secrets but the newest `left`. */
const spentKeysOf = ({ secrets, spentKeys = [] }: Owner, left: number): string[] =>
  [...secrets.slice(left).flatMap(({ key }) => key ?? []), ...spentKeys].slice(0, mostSpent)

const refuseOther = (): Refused =>
  refuse('IDEMPOTENCY_CONFLICT', 'this idempotency key made a secret with another body; use a new key for a new one')

const refuseSpent = (): Refused =>
  refuse(
    'IDEMPOTENCY_CONFLICT',
    'the secret that this idempotency key made is not in force any more; use a new key for a new one',
  )

const refuseMore = (free: number): Refused =>
  refuse(
    'CONFLICT',
    `${mostSecrets} secrets are in force already, as many as can be; the oldest is until ${new Date(free).toISOString()}, and there can be a new one then`,
  )
