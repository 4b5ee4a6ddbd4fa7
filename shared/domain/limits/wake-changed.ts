import type { Change, Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { limitsThatHeld } from './held-limits.ts'
import { attendLimit } from './hold-task.ts'
import { agentLimitId } from './limit.ts'
import { forgetLimits, type LimitsRow } from './limits-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** The limits were changed: whoever is held and has room now is woken. */
export const wakeForLimits = async (ports: Ports, { after }: Change<LimitsRow>): Promise<void> => {
  if (after === undefined) return
  const tenant = after.value.tenantId
  forgetLimits(ports.main)
  await Promise.all((await limitsThatHeld(ports, tenant)).map((limit) => attendLimit(ports, tenant, limit)))
}

/** An agent's own limit was changed. */
export const wakeForAgent = async (ports: Ports, { before, after }: Change<Agent>): Promise<void> => {
  if (after === undefined || before === undefined) return
  const [was, is] = [before, after].map(({ value }) => value.configuration.maxConcurrentTasks)
  if (was === is) return
  forgetLimits(ports.main)
  await attendLimit(ports, after.value.tenant, agentLimitId(after.value.id))
}
