import type { Platform } from '../../platform/platform.ts'
import { type Agent, offers, takesWork } from '../agents/agent.ts'
import { findAgent } from '../agents/agent-store.ts'
import { handsOut } from '../agents/lifecycle.ts'
import { type Found, liveOf, problemOf, type Takes, targetOf } from '../dispatch/find-target.ts'
import type { SubmitCommand } from './submit-command.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock'>

/** Who had the task that is done again from its checkpoint. `undefined`: it is not there to go on with it now. */
export const findAgentBefore = async (
  ports: Ports,
  tenant: string,
  { capability = '', requirements, retryOf }: SubmitCommand,
  takes: Takes,
): Promise<Found | undefined> => {
  if (retryOf?.agent === undefined) return undefined
  const agent = (await findAgent(ports, tenant, retryOf.agent))?.value
  if (agent === undefined || !isThere(agent, capability) || !(await takes(agent))) return undefined
  if ((await problemOf(ports, agent, requirements)) !== undefined) return undefined
  if ((await liveOf(ports, agent)).length === 0) return undefined
  const reason = `${agent.name} had task ${retryOf.id}, and goes on from its checkpoint`
  return { agent, target: targetOf(agent), routing: { reason } }
}

const isThere = (agent: Agent, capability: string): boolean =>
  takesWork(agent) && handsOut(agent) && offers(agent, capability)
