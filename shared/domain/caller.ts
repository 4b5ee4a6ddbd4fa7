/** Who asks, as established at the edge. */
export type Principal =
  | { kind: 'key'; id: string; role: 'admin' | 'agent' }
  /** One running copy of an agent, by its token. */
  | { kind: 'instance'; id: string }
  /** A hosted agent whose identity the host vouches for (an IAM role on AWS): may enrol and run that agent. */
  | { kind: 'host'; agent: string }
  /** Nobody that is known. */
  | { kind: 'anyone' }

export type Caller = { tenant: string; principal: Principal; requestId: string }

/** Stamped on every row by the use-case that wrote it: the change image is the audit record. */
export type Stamp = { actor: string; action: string; request: string }

/** `key:…`, `instance:…`, `host:…`, `anyone`. */
export const actorOf = ({ principal }: Caller): string => {
  if (principal.kind === 'anyone') return principal.kind
  return principal.kind === 'host' ? `host:${principal.agent}` : `${principal.kind}:${principal.id}`
}

export const stamp = (caller: Caller, action: string): Stamp => ({
  actor: actorOf(caller),
  action,
  request: caller.requestId,
})

/** What the platform does by itself (sweep, projector). */
export const systemStamp = (action: string): Stamp => ({ actor: 'system', action, request: 'system' })
