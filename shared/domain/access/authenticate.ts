import type { Platform } from '../../platform/platform.ts'
import type { Principal } from '../caller.ts'
import { findInstance } from '../instances/instance-store.ts'
import { findApiKey } from './api-key.ts'
import { matchesHash } from './secret.ts'

export type Identity = { tenant: string; principal: Principal }

/** `dci_<tenant>.<instance>.<secret>`. */
export const instanceToken = (tenant: string, instance: string, secret: string): string =>
  `dci_${tenant}.${instance.slice(4)}.${secret}`

/**
 * Who a bearer token is; `undefined` for a token that proves nothing, is over, or whose instance has left, unless
 * `alsoLeft`.
 */
export const authenticate = async (
  ports: Pick<Platform, 'main' | 'clock'>,
  token: string,
  { alsoLeft = false } = {},
): Promise<Identity | undefined> =>
  token.startsWith('dci_') ? byInstance(ports, token, alsoLeft) : byKey(ports, token)

const byKey = async (ports: Pick<Platform, 'main' | 'clock'>, token: string): Promise<Identity | undefined> => {
  const key = await findApiKey(ports, token)
  return key && { tenant: key.tenant, principal: { kind: 'key', id: key.id, role: key.role } }
}

const byInstance = async (
  ports: Pick<Platform, 'main' | 'clock'>,
  token: string,
  alsoLeft: boolean,
): Promise<Identity | undefined> => {
  const parts = /^dci_([a-z0-9-]{1,50})\.([0-9A-HJKMNP-TV-Z]{26})\.([\w-]{43})$/.exec(token)
  if (parts === null) return undefined
  const [, tenant = '', id = '', secret = ''] = parts
  const instance = (await findInstance(ports, tenant, `ins_${id}`))?.value
  if (instance === undefined || !matchesHash(secret, instance.tokenHash)) return undefined
  if (instance.detail === 'LEFT' && !alsoLeft) return undefined
  if (instance.tokenExpiresAt <= ports.clock.now()) return undefined
  return { tenant, principal: { kind: 'instance', id: instance.id } }
}
