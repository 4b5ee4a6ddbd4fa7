import type { Item, Platform } from '../../platform/platform.ts'
import { type Caller, type Stamp, stamp } from '../caller.ts'
import { DomainError } from '../domain-error.ts'
import { digest, idFromKey } from '../ids.ts'
import { taskKey } from '../keys.ts'
import type { SubmitCommand } from '../tasks/submit-command.ts'

type Claim = { submitted: string; stamp: Stamp }

/** Long enough for whoever repeats the call; later each of its tasks still refuses another body under its own key. */
const keepMs = 7 * 24 * 3_600_000

type Place = { tenant: string; key: string; now: number }

const claimItem = ({ tenant, key, now }: Place, value: Claim): Item<Claim> => ({
  pk: `${tenant}#submits#${digest(key)}`,
  sk: 'head',
  type: 'submits',
  value,
  expiresAt: now + keepMs,
})

/**
 * Binds an idempotency key to what is submitted in one call, before any of it is: another body under the same key is a
 * conflict as a whole, also while the first call is under way or broke off.
 */
export const claimSubmits = async (
  { main, clock }: Pick<Platform, 'main' | 'clock'>,
  caller: Caller,
  { key, tasks }: { key: string; tasks: unknown[] },
): Promise<void> => {
  const value = { submitted: digest(tasks), stamp: stamp(caller, 'tasks.submit') }
  const item = claimItem({ tenant: caller.tenant, key, now: clock.now() }, value)
  const outcome = await main.write({ op: 'put', item, expect: 'absent' })
  const stored = outcome.ok ? value : (outcome.conflicts[0]?.current?.value as Claim | undefined)
  if (stored?.submitted === value.submitted) return
  throw new DomainError(
    'IDEMPOTENCY_CONFLICT',
    `the idempotency key ${key} was used for other tasks; use a new key for new tasks`,
  )
}

/** Of each whether there is a task by its key already. */
export const areSubmitted = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  commands: Pick<SubmitCommand, 'idempotencyKey'>[],
): Promise<boolean[]> => {
  const ids = commands.flatMap(({ idempotencyKey: key }) => (key === undefined ? [] : [idFromKey('tsk', tenant, key)]))
  const found = await main.getMany(ids.map((id) => taskKey(tenant, id)))
  const known = found.values()
  return commands.map(({ idempotencyKey: key }) => key !== undefined && known.next().value !== undefined)
}
