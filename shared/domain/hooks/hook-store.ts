import type { Item, Key, Page, Platform, Stored } from '../../platform/platform.ts'
import { changeStored } from '../contention.ts'
import { DomainError } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { sortableTime } from '../keys.ts'
import type { Hook } from './hook.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** A tenant has so many at most. */
export const mostHooks = 200
/** A delivery that comes again within this time is dropped. */
const rememberMs = 7 * 24 * 3_600_000

/** Whoever posts to a hook has no tenant yet. */
const hookPk = (name: string): string => `platform#hook#${name}`
const hookKey = (name: string): Key => ({ pk: hookPk(name), sk: 'head' })
const hooksPk = (tenant: string): string => `${tenant}#hooks`

const hookItem = (hook: Hook): Item<Hook> => ({
  ...hookKey(hook.name),
  type: 'hook',
  value: hook,
  index: { parent: { pk: hooksPk(hook.tenant), sk: `${sortableTime(hook.createdAt)}#${hook.id}` } },
})

/** Outlives its hook: what was made under a key is not made again. */
type Named = { name: string }
const namedKey = (tenant: string, id: string): Key => ({ pk: `${tenant}#hook#${id}`, sk: 'head' })

/** Stores a new hook, unless there was one of its id, or is one of its name. */
export const createHook = async (ports: Ports, hook: Hook): Promise<boolean> => {
  const named: Item<Named> = { ...namedKey(hook.tenant, hook.id), type: 'hook-name', value: { name: hook.name } }
  const writes = [hookItem(hook), named].map(
    (item) => ({ op: 'put', item, expect: 'absent', rev: newRev(ports) }) as const,
  )
  return (await ports.main.transact(writes)).ok
}

/** The name of a hook, also of one that was deleted. */
export const findName = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<string | undefined> => (await main.get<Named>(namedKey(tenant, id)))?.value.name

/** Of any tenant. */
export const findHook = ({ main }: Pick<Platform, 'main'>, name: string): Promise<Stored<Hook> | undefined> =>
  main.get<Hook>(hookKey(name))

/** The hook of a tenant, or `NOT_FOUND`. */
export const getHook = async (ports: Pick<Platform, 'main'>, tenant: string, name: string): Promise<Stored<Hook>> => {
  const found = await findHook(ports, name)
  if (found?.value.tenant !== tenant) throw new DomainError('NOT_FOUND', `there is no hook ${name}`)
  return found
}

/** Loads, changes and saves until no one else came first. */
export const changeHook = (ports: Ports, start: Stored<Hook>, change: (hook: Hook) => Hook): Promise<Stored<Hook>> =>
  changeStored(ports, { table: ports.main, start, what: `hook ${start.value.name}` }, change, hookItem)

/** Its name is free again, its key is not; `undefined`: it was changed meanwhile. */
export const removeHook = async ({ main }: Pick<Platform, 'main'>, found: Stored<Hook>): Promise<true | undefined> => {
  const key = hookKey(found.value.name)
  const outcome = await main.write({ op: 'delete', key, expect: { rev: found.rev } })
  return outcome.ok || undefined
}

/** Newest first. */
export const listHooks = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  page: { limit: number; cursor?: string },
): Promise<Page<Hook>> => main.query<Hook>({ index: 'parent', pk: hooksPk(tenant), order: 'descending', ...page })

type Seen = { message: string }
const seenKey = ({ name, id }: Hook, delivery: string): Key => ({ pk: hookPk(name), sk: `seen#${id}#${delivery}` })

/** The message that a delivery became when it came before. */
export const findSeen = async (
  { main }: Pick<Platform, 'main'>,
  hook: Hook,
  delivery: string,
): Promise<string | undefined> => (await main.get<Seen>(seenKey(hook, delivery)))?.value.message

/** Remembers what a delivery became. */
export const noteSeen = async (
  { main, clock }: Pick<Platform, 'main' | 'clock'>,
  hook: Hook,
  { delivery, message }: { delivery: string; message: string },
): Promise<void> => {
  const item: Item<Seen> = {
    ...seenKey(hook, delivery),
    type: 'hook-delivery',
    value: { message },
    expiresAt: clock.now() + rememberMs,
  }
  await main.write({ op: 'put', item, expect: 'any' })
}
