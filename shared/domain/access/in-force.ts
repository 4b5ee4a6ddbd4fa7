import type { Platform } from '../../platform/platform.ts'
import { findInstance } from '../instances/instance-store.ts'
import { findKeyById } from './api-key.ts'
import type { Identity } from './authenticate.ts'

/** Until when somebody who was known once is known, in milliseconds; `undefined`: no more. */
export const inForceUntil = async (
  ports: Pick<Platform, 'main' | 'clock'>,
  { tenant, principal }: Identity,
): Promise<number | undefined> => {
  const until = await endOf(ports, { tenant, principal })
  return until > ports.clock.now() ? until : undefined
}

const never = Number.POSITIVE_INFINITY

const endOf = async (ports: Pick<Platform, 'main'>, { tenant, principal }: Identity): Promise<number> => {
  if (principal.kind === 'key') {
    const key = await findKeyById(ports, principal.id)
    return key === undefined || key.revokedAt !== undefined ? 0 : (key.expiresAt ?? never)
  }
  if (principal.kind !== 'instance') return never
  const instance = (await findInstance(ports, tenant, principal.id))?.value
  return instance === undefined || instance.detail === 'LEFT' ? 0 : instance.tokenExpiresAt
}
