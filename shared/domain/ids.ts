import { hash } from 'node:crypto'
import type { Platform } from '../platform/platform.ts'
import { encodeCrockford, ulid } from '../platform/ulid.ts'

export type IdPrefix =
  | 'agt'
  | 'ins'
  | 'tsk'
  | 'obj'
  | 'key'
  | 'apr'
  | 'bat'
  | 'sch'
  | 'whk'
  | 'dlv'
  | 'evt'
  | 'msg'
  | 'pub'
  | 'sub'
  | 'mat'
  | 'rpl'
  | 'hok'
  | 'ltr'
  | 'que'
  | 'con'
  | 'run'

/** 128 bits, time-ordered. */
export const newId = (prefix: IdPrefix, { clock, random }: Pick<Platform, 'clock' | 'random'>): string =>
  `${prefix}_${ulid(clock.now(), (length) => random.bytes(length))}`

/** The same 128 bits for the same tenant and key: a create with an idempotency key finds its first self again. */
export const idFromKey = (prefix: IdPrefix, tenant: string, key: string): string =>
  `${prefix}_${encodeCrockford(sha256(`${prefix}\n${tenant}\n${key}`).subarray(0, 16))}`

/** A new id, or the one that belongs to the idempotency key. */
export const idFor = (
  prefix: IdPrefix,
  tenant: string,
  key: string | undefined,
  ports: Pick<Platform, 'clock' | 'random'>,
) => (key === undefined ? newId(prefix, ports) : idFromKey(prefix, tenant, key))

/** A new revision for a write. */
export const newRev = ({ clock, random }: Pick<Platform, 'clock' | 'random'>): string =>
  ulid(clock.now(), (length) => random.bytes(length))

const sha256 = (text: string): Buffer => hash('sha256', text, 'buffer')

const areSorted = (keys: string[]): boolean => keys.every((key, at) => at === 0 || (keys[at - 1] ?? '') < key)

const sortKeys = (_key: string, value: unknown): unknown => {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || areSorted(Object.keys(value))) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Hex digest of a JSON value, whatever the order of its keys. */
export const digest = (value: unknown): string =>
  sha256(JSON.stringify(value, sortKeys) ?? 'undefined')
    .toString('hex')
    .slice(0, 32)

const patterns = new Map<IdPrefix, RegExp>()

/** What an id with this prefix looks like. */
export const idPattern = (prefix: IdPrefix): RegExp => {
  const known = patterns.get(prefix)
  if (known) return known
  const pattern = new RegExp(`^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$`)
  patterns.set(prefix, pattern)
  return pattern
}
