import type { Platform, Stored } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { DomainError, orThrow } from '../domain-error.ts'
import { digest, idFor } from '../ids.ts'
import { type IfMatch, requireRev } from '../require-rev.ts'
import { requireKept, requireSame } from '../require-same.ts'
import { newSecret } from '../webhooks/change-webhook.ts'
import { rotateSecret, secretUnder } from '../webhooks/rotate-secret.ts'
import { type Made, toldAgain } from '../webhooks/webhook.ts'
import type { Hook } from './hook.ts'
import { changeHook, createHook, findHook, findName, getHook, listHooks, mostHooks, removeHook } from './hook-store.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

export type HookCommand = Pick<Hook, 'name' | 'scheme' | 'topic' | 'description'> & {
  /** One that the other system chose. @default a new one */
  secret?: string
}

/** Makes a hook; `secret` is told here alone. The same again by the same key answers the first one, with it for a day. */
export const makeHook = async (
  ports: Ports,
  caller: Caller,
  { idempotencyKey, secret: given, ...command }: HookCommand & { idempotencyKey?: string },
): Promise<Made<Hook>> => {
  const { tenant } = caller
  const now = ports.clock.now()
  const secret = given ?? newSecret(ports)
  const hook: Hook = {
    ...command,
    id: idFor('hok', tenant, idempotencyKey, ports),
    tenant,
    secrets: [{ value: secret }],
    createdAt: now,
    updatedAt: now,
    created: digest({ ...command, given }),
    stamp: stamp(caller, 'hook.create'),
  }
  const before = await findMade(ports, hook, idempotencyKey)
  if (before) return toldAgain(ports, before)
  await requireFreeName(ports, command.name)
  await requireRoom(ports, tenant)
  if (await createHook(ports, hook)) return { made: await getHook(ports, tenant, command.name), secret }
  const first = await findMade(ports, hook, idempotencyKey)
  if (first) return toldAgain(ports, first)
  throw nameTaken(command.name)
}

/** The hook that was made under the same key, which is the same and still there. */
const findMade = async (
  ports: Ports,
  { tenant, id, created }: Hook,
  key: string | undefined,
): Promise<Stored<Hook> | undefined> => {
  const name = await findName(ports, tenant, id)
  if (name === undefined) return undefined
  const made = await findHook(ports, name)
  requireKept(`hook ${name}`, key, made?.value.id !== id)
  requireSame(`hook ${name}`, key, { before: made?.value.created, now: created })
  return made
}

const nameTaken = (name: string): DomainError =>
  new DomainError('NAME_TAKEN', `there is a hook ${name} already; its address is taken, use another name`)

const requireFreeName = async (ports: Ports, name: string): Promise<void> => {
  if (await findHook(ports, name)) throw nameTaken(name)
}

const requireRoom = async (ports: Ports, tenant: string): Promise<void> => {
  const { items } = await listHooks(ports, tenant, { limit: mostHooks })
  if (items.length >= mostHooks)
    throw new DomainError('CONFLICT', `there are ${mostHooks} hooks already, as many as there can be; delete some`)
}

/**
 * A new secret, told here alone, or the one that the other system chose; the one before is good for a day more. Under its
 * idempotency key the same again, while it is in force.
 */
export const rotateHook = async (
  ports: Ports,
  caller: Caller,
  name: string,
  { secret: given, idempotencyKey }: { secret?: string; idempotencyKey?: string } = {},
): Promise<{ hook: Stored<Hook>; secret: string }> => {
  const secret = given ?? newSecret(ports)
  const key = idempotencyKey === undefined ? undefined : digest(idempotencyKey)
  const next = { value: secret, key, asked: digest({ given }) }
  const now = ports.clock.now()
  const about = { updatedAt: now, stamp: stamp(caller, 'hook.rotate') }
  const found = await getHook(ports, caller.tenant, name)
  const hook = await changeHook(ports, found, (one) => {
    const rotated = orThrow(rotateSecret(one, next, now))
    return rotated === one ? one : { ...rotated, ...about }
  })
  return { hook, secret: secretUnder(hook.value, key)?.value ?? secret }
}

/** Nothing that is posted to it is taken any more; its name is free. */
export const deleteHook = async (ports: Ports, caller: Caller, name: string, ifMatch?: IfMatch): Promise<void> => {
  await compete(ports, `hook ${name}`, async () => {
    const found = await getHook(ports, caller.tenant, name)
    requireRev(`hook ${name}`, found, ifMatch)
    const removed = await removeHook(ports, found)
    return removed && { done: removed }
  })
}
