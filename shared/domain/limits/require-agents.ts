import type { Platform } from '../../platform/platform.ts'
import { findAgent } from '../agents/agent-store.ts'
import { DomainError, type FieldError } from '../domain-error.ts'

/** Refuses a limit of an agent that is not there: a mistyped name would bound nothing. To remove one needs no agent. */
export const requireAgents = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  limits: Record<string, object | null>,
): Promise<void> => {
  const names = Object.keys(limits).filter((name) => limits[name] !== null)
  const errors = (await Promise.all(names.map((name) => problemOf(ports, tenant, name)))).flat()
  const [first] = errors
  if (first) throw new DomainError('INVALID', first.message, errors)
}

const problemOf = async (ports: Pick<Platform, 'main'>, tenant: string, name: string): Promise<FieldError[]> => {
  const agent = (await findAgent(ports, tenant, name))?.value
  if (agent?.name === name) return []
  const message = agent
    ? `${name} is the id of agent ${agent.name}; limits go by the name`
    : `there is no agent ${name}; register it first, or bound its tasks by tenant or by key`
  return [{ pointer: `#/agents/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, code: 'UNKNOWN_AGENT', message }]
}
