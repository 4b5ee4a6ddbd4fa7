import type { Item, Key, Platform } from '../../platform/platform.ts'
import { newId } from '../ids.ts'
import { hashSecret, matchesHash, newSecret } from './secret.ts'

/** Kept hashed; `admin` may do everything in its tenant, `agent` may enrol and run agents. */
export type ApiKey = {
  id: string
  tenant: string
  role: 'admin' | 'agent'
  name: string
  hash: string
  createdAt: number
  expiresAt?: number
  revokedAt?: number
}

/** A key is looked up before its tenant is known: the only items that are not tenant-first. */
const apiKeyKey = (id: string): Key => ({ pk: `platform#api-key#${id}`, sk: 'head' })

const toItem = (key: ApiKey): Item<ApiKey> => ({
  ...apiKeyKey(key.id),
  type: 'api-key',
  value: key,
  index: { list: { pk: `${key.tenant}#api-keys`, sk: key.id } },
})

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** Makes a key and answers its only readable copy. A given `id` replaces the key that had it. */
export const createApiKey = async (
  ports: Ports,
  { tenant, role, name, id = newId('key', ports) }: Pick<ApiKey, 'tenant' | 'role' | 'name'> & { id?: string },
): Promise<{ apiKey: string; id: string }> => {
  const secret = newSecret(ports)
  const key: ApiKey = { id, tenant, role, name, hash: hashSecret(secret), createdAt: ports.clock.now() }
  await ports.main.write({ op: 'put', item: toItem(key), expect: 'any' })
  return { apiKey: `dck_${id.slice(4)}_${secret}`, id }
}

/** A key by its id, also one that is over. */
export const findKeyById = async ({ main }: Pick<Platform, 'main'>, id: string): Promise<ApiKey | undefined> =>
  (await main.get<ApiKey>(apiKeyKey(id)))?.value

/** The key that a text proves, if it does. */
export const findApiKey = async (
  ports: Pick<Platform, 'main' | 'clock'>,
  text: string,
): Promise<ApiKey | undefined> => {
  const parts = /^dck_([0-9A-HJKMNP-TV-Z]{26})_([\w-]{43})$/.exec(text)
  if (parts === null) return undefined
  const [, id = '', secret = ''] = parts
  const key = await findKeyById(ports, `key_${id}`)
  if (key === undefined || !matchesHash(secret, key.hash)) return undefined
  const over = key.revokedAt !== undefined || (key.expiresAt !== undefined && key.expiresAt <= ports.clock.now())
  return over ? undefined : key
}
