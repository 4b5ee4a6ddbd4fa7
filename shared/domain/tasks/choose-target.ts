import type { Platform } from '../../platform/platform.ts'
import { type Agent, offers, takesWork } from '../agents/agent.ts'
import { getAgent } from '../agents/agent-store.ts'
import { type Found, findTarget, type Takes, targetOf } from '../dispatch/find-target.ts'
import { unmetBy } from '../dispatch/requirements.ts'
import { inRange } from '../dispatch/version-range.ts'
import { DomainError, invalid } from '../domain-error.ts'
import { findAgentBefore } from './find-agent-before.ts'
import type { SubmitCommand } from './submit-command.ts'
import type { Requirements } from './task.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

/** Who is to do a task: an agent and its version, unless nobody can yet. */
export type Choice = Found & { capability?: string; requirements?: Requirements }

/**
 * The agent that the command names, else one that offers the capability and meets the requirements: whoever had the task
 * before, where it goes on from a checkpoint and that one can now. `root` is its tree's.
 */
export const chooseTarget = async (
  ports: Ports,
  tenant: string,
  command: SubmitCommand,
  { root, takes }: { root: string; takes: Takes },
): Promise<Choice> => {
  requireSense(command, ports.clock.now())
  if (command.agent !== undefined) return chooseNamed(ports, tenant, command.agent, command)
  const { capability, version, labels } = command
  const requirements = version === undefined ? command.requirements : { ...command.requirements, version }
  const before = await findAgentBefore(ports, tenant, { ...command, requirements }, takes)
  const found = before ?? (await findTarget(ports, tenant, capability ?? '', { requirements, labels, root, takes }))
  return { ...found, capability, requirements }
}

/** Refuses what a submit would, as far as that is told by the command and the agent that it names: nothing is weighed. */
export const requireChoosable = async (ports: Ports, tenant: string, command: SubmitCommand): Promise<void> => {
  requireSense(command, ports.clock.now())
  if (command.agent !== undefined) await chooseNamed(ports, tenant, command.agent, command)
}

const requireSense = (command: SubmitCommand, now: number): void => {
  const { version, requirements, runAt, deadline } = command
  if (version !== undefined && requirements?.version !== undefined && !inRange(version, requirements.version))
    throw invalid(
      '#/requirements/version',
      'CONTRADICTION',
      `version ${version} is asked for and is not in ${requirements.version}; leave one of them out`,
    )
  if (runAt !== undefined && deadline !== undefined && deadline <= runAt)
    throw invalid(
      '#/deadline',
      'CONTRADICTION',
      `the deadline ${new Date(deadline).toISOString()} is not after the start time ${new Date(runAt).toISOString()}`,
    )
  if (deadline !== undefined && command.batch === undefined) requireAhead(deadline, now, '#/deadline')
}

/** Refuses a deadline by which nothing could start any more. A row whose batch took too long is a task that ends by it. */
export const requireAhead = (deadline: number, now: number, pointer: string): void => {
  if (deadline > now) return
  const [given, is] = [deadline, now].map((ms) => new Date(ms).toISOString())
  throw invalid(pointer, 'PAST', `the deadline ${given} has passed, it is ${is}; give one ahead, or leave it out`)
}

const chooseNamed = async (ports: Ports, tenant: string, name: string, command: SubmitCommand): Promise<Choice> => {
  const agent = (await getAgent(ports, tenant, name)).value
  if (!takesWork(agent))
    throw new DomainError('CONFLICT', `agent ${agent.name} is decommissioned and takes no more tasks`)
  if (command.version !== undefined && command.version !== agent.version)
    throw invalid(
      '#/version',
      'UNKNOWN_VERSION',
      `agent ${agent.name} has no version ${command.version}; it has ${agent.version}`,
    )
  requireAble(agent, command.requirements)
  const names = agent.capabilities.map((one) => one.name)
  if (command.capability !== undefined && !offers(agent, command.capability))
    throw invalid(
      '#/capability',
      'NOT_OFFERED',
      `agent ${agent.name} does not offer ${command.capability}; it offers ${names.join(', ') || 'nothing'}`,
    )
  return {
    agent,
    target: targetOf(agent),
    routing: { reason: `agent ${agent.name} was named` },
    requirements: command.requirements,
    capability: command.capability ?? (names.length === 1 ? names[0] : undefined),
  }
}

/** Its version and class are facts: a task that names it and wants others would wait for ever. Labels may come with an instance. */
const requireAble = (agent: Agent, wanted: Requirements | undefined): void => {
  for (const field of ['version', 'resourceClass'] as const) {
    const problem =
      wanted?.[field] === undefined ? undefined : unmetBy({ ...agent, instances: [] }, { [field]: wanted[field] })
    if (problem !== undefined)
      throw invalid(
        `#/requirements/${field}`,
        'NOT_MET',
        `agent ${agent.name} cannot: ${problem}; name no agent, or another`,
      )
  }
}
