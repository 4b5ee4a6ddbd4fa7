import type { Audience, Operation } from '#shared/contracts/operations.ts'
import { authenticate, type Identity } from '#shared/domain/access/authenticate.ts'
import type { Principal } from '#shared/domain/caller.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import type { Platform } from '#shared/platform/platform.ts'

/** A hosted agent whose identity the host vouches for, handed in beside the request. */
export type AgentHost = { agent: string; tenant: string }

const audienceOf = (principal: Principal): Audience => (principal.kind === 'key' ? principal.role : principal.kind)

const describe = (principal: Principal): string => (principal.kind === 'key' ? `${principal.role} key` : principal.kind)

/** Who calls: the bearer's identity, else the one the host vouches for; nobody where nobody needs to be known. */
export const identify = async (
  platform: Platform,
  operation: Operation,
  request: Request,
  host: AgentHost | undefined,
): Promise<Identity> => {
  if (operation.audience.includes('anyone')) return { tenant: 'none', principal: { kind: 'anyone' } }
  const header = request.headers.get('authorization')
  if (header === null && host) return { tenant: host.tenant, principal: { kind: 'host', agent: host.agent } }
  const token = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1]
  const identity = token === undefined ? undefined : await authenticate(platform, token, operation)
  if (identity) return identity
  const detail = header === null ? 'send Authorization: Bearer <API key>' : 'the key or token is unknown or over'
  throw new DomainError('UNAUTHENTICATED', detail)
}

/** Denies by default: an operation names everybody who may call it. */
export const authorize = ({ principal }: Identity, operation: Operation, params: Record<string, string>): void => {
  if (!operation.audience.includes(audienceOf(principal)))
    throw new DomainError(
      'FORBIDDEN',
      `${operation.summary.toLowerCase()} is not for a caller that is ${describe(principal)}`,
    )
  if (principal.kind === 'instance' && params.instance !== undefined && params.instance !== principal.id)
    throw new DomainError('FORBIDDEN', `this token is the one of instance ${principal.id}, not of ${params.instance}`)
}

/** A hosted agent acts for itself alone. */
export const requireOwnName = (principal: Principal, agent: string): void => {
  if (principal.kind === 'host' && principal.agent !== agent)
    throw new DomainError('FORBIDDEN', `this caller is agent ${principal.agent} and may not act for ${agent}`)
}
