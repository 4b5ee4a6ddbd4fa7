import type { Platform, Stored } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { DomainError, orThrow } from '../domain-error.ts'
import { digest, newId } from '../ids.ts'
import { requireRev } from '../require-rev.ts'
import { newSecret } from '../webhooks/change-webhook.ts'
import { firstSecret, rotateSecret } from '../webhooks/webhook.ts'
import type { Hook } from './hook.ts'
import { changeHook, createHook, findHook, getHook, listHooks, mostHooks, removeHook } from './hook-store.ts'

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
): Promise<{ hook: Stored<Hook>; secret?: string }> => {
  const { tenant } = caller
  const created = digest({ ...command, given, key: idempotencyKey })
  const before = await findHook(ports, command.name)
  if (before) return toldAgain(ports, sameOrTaken(before, { tenant, created, idempotencyKey }))
  await requireRoom(ports, tenant)
  const now = ports.clock.now()
  const secret = given ?? newSecret(ports)
  const hook: Hook = {
    ...command,
    id: newId('hok', ports),
    tenant,
    secrets: [{ value: secret }],
    createdAt: now,
    updatedAt: now,
    created,
    stamp: stamp(caller, 'hook.create'),
  }
  const existing = await createHook(ports, hook)
  if (existing) return toldAgain(ports, sameOrTaken(existing, { tenant, created, idempotencyKey }))
  return { hook: await getHook(ports, tenant, command.name), secret }
}

const toldAgain = ({ clock }: Ports, hook: Stored<Hook>) => ({ hook, secret: firstSecret(hook.value, clock.now()) })

type Wish = { tenant: string; created: string; idempotencyKey?: string }

const sameOrTaken = (hook: Stored<Hook>, { tenant, created, idempotencyKey }: Wish): Stored<Hook> => {
  const { value } = hook
  if (idempotencyKey !== undefined && value.tenant === tenant && value.created === created) return hook
  throw new DomainError('NAME_TAKEN', `there is a hook ${value.name} already; its address is taken, use another name`)
}

const requireRoom = async (ports: Ports, tenant: string): Promise<void> => {
  const { items } = await listHooks(ports, tenant, { limit: mostHooks })
  if (items.length >= mostHooks)
    throw new DomainError('CONFLICT', `there are ${mostHooks} hooks already, as many as there can be; delete some`)
}

/** A new secret, told here alone, or the one that the other system chose; the one before is good for a day more. */
export const rotateHook = async (
  ports: Ports,
  caller: Caller,
  name: string,
  given?: string,
): Promise<{ hook: Stored<Hook>; secret: string }> => {
  const secret = given ?? newSecret(ports)
  const now = ports.clock.now()
  const about = { updatedAt: now, stamp: stamp(caller, 'hook.rotate') }
  const found = await getHook(ports, caller.tenant, name)
  const hook = await changeHook(ports, found, (one) => ({
    ...orThrow(rotateSecret(one, { value: secret }, now)),
    ...about,
  }))
  return { hook, secret }
}

/** Nothing that is posted to it is taken any more; its name is free. */
export const deleteHook = async (ports: Ports, caller: Caller, name: string, ifMatch?: string): Promise<void> => {
  await compete(ports, `hook ${name}`, async () => {
    const found = await getHook(ports, caller.tenant, name)
    requireRev(`hook ${name}`, found, ifMatch)
    const removed = await removeHook(ports, found)
    return removed && { done: removed }
  })
}
