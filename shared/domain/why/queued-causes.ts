import { sendsAway } from '../agents/lifecycle.ts'
import { isUnmet } from '../tasks/holders.ts'
import type { Task } from '../tasks/task.ts'
import { type Cause, iso, type Situation, type Why, type WhyCode } from './cause.ts'

const late: Cause = ({ task, now }) =>
  task.deadline > now
    ? undefined
    : {
        code: 'DEADLINE',
        message: `its deadline ${iso(task.deadline)} has passed and the sweep is about to end it`,
        evidence: { deadline: iso(task.deadline) },
        wouldChange: 'a new task with a later deadline',
      }

const ableTo = ({ target, capability }: Task): string =>
  target ? `an instance of ${target.agentName} that has` : `an agent that offers ${capability}, and has`

const nobody: Cause = ({ task }) =>
  task.target !== undefined && !isUnmet(task)
    ? undefined
    : {
        code: 'NO_CAPABLE_AGENT',
        message: task.blockedBy?.message ?? `no agent offers ${task.capability}`,
        evidence: { capability: task.capability, requirements: task.requirements, deadline: iso(task.deadline) },
        wouldChange: `${ableTo(task)} what it requires; without one it fails at its deadline`,
      }

const agentState: Cause = ({ agent, task }) => {
  const name = task.target?.agentName
  const evidence = { agent: name, state: agent?.state, detail: agent?.detail }
  const cause = (code: WhyCode, message: string, wouldChange: string): Why => ({ code, message, evidence, wouldChange })
  if (agent === undefined || agent.decommissionedAt !== undefined)
    return cause('AGENT_DECOMMISSIONED', `agent ${name} is decommissioned`, 'another agent that offers its capability')
  if (agent.state === 'ERROR')
    return cause('AGENT_ERROR_STATE', `agent ${name} is in ERROR`, `POST /agents/${name}/activate once it is mended`)
  if (agent.state === 'OFFLINE' && sendsAway(agent))
    return cause(
      'VERSION_DRAINING',
      `agent ${name} was drained and takes nothing more`,
      `POST /agents/${name}/activate`,
    )
  if (agent.state !== 'MAINTENANCE') return undefined
  return agent.detail === 'PAUSED'
    ? cause('PAUSED', `agent ${name} is paused`, `POST /agents/${name}/resume`)
    : cause('MAINTENANCE', `agent ${name} is in maintenance`, `POST /agents/${name}/resume`)
}

const limited: Cause = ({ task, limit }) => {
  if (task.heldBy === undefined && limit === undefined) return undefined
  const rate = (limit?.code ?? task.blockedBy?.code) === 'RATE'
  const told = task.heldBy === undefined ? undefined : task.blockedBy?.message
  return {
    code: rate ? 'RATE' : 'LIMIT',
    message: told ?? `the limit of ${limit?.name} (${limit?.allowed}) leaves no ${rate ? 'start' : 'place'}`,
    evidence: {
      limit: limit?.name ?? task.heldBy,
      allowed: limit?.allowed,
      heldBy: limit?.holders ?? [],
      ...(limit?.at !== undefined && { nextTokenAt: iso(limit.at) }),
    },
    wouldChange: rate
      ? 'time, or a higher rate: PATCH /limits'
      : 'the end of a task that counts in it, or PATCH /limits',
  }
}

const noInstance: Cause = ({ task, live, starting }) => {
  const open = live.filter(({ draining }) => !draining)
  if (open.length > 0) return undefined
  const { agentName, version } = task.target ?? {}
  const evidence = { agent: agentName, version, draining: live.length, starting }
  const lost = task.transition.reason === 'LEASE_LOST'
  if (starting > 0)
    return {
      code: 'COLD_START',
      message: `an instance of ${agentName} ${version} is starting`,
      evidence,
      wouldChange: 'its start, in seconds on one machine and within two minutes on AWS',
    }
  if (live.length > 0)
    return {
      code: 'VERSION_DRAINING',
      message: `every instance of ${agentName} ${version} drains and takes nothing more`,
      evidence,
      wouldChange: 'an instance that joins anew',
    }
  return {
    code: lost ? 'LEASE_LOST' : 'NO_INSTANCE',
    message: lost
      ? `the instance that ran it was lost (${task.transition.message}), and no other instance of ${agentName} is there`
      : `no instance of ${agentName} ${version} is there`,
    evidence,
    wouldChange: 'an instance that joins: the task is handed to it at once',
  }
}

const pinned: Cause = ({ task, live }) => {
  const one = live.find(({ id }) => id === task.pinnedTo)
  if (one === undefined || one.running < one.slots) return undefined
  return {
    code: 'AFFINITY',
    message: `tasks of the key ${task.affinityKey} run on ${one.id}, all of whose slots are busy`,
    evidence: { affinityKey: task.affinityKey, instance: one.id, slots: one.slots, running: one.running },
    wouldChange: 'a free slot there, or its end',
  }
}

const busy: Cause = ({ task, live, now, queue }) => {
  const open = live.filter(({ draining }) => !draining)
  const slots = open.reduce((sum, one) => sum + one.slots, 0)
  const inUse = open.reduce((sum, one) => sum + one.running, 0)
  if (inUse < slots && (queue?.ahead ?? 0) === 0) return undefined
  const ahead = queue?.ahead ?? 0
  const startsAt = queue?.taskMs === undefined ? undefined : now + (Math.floor(ahead / slots) + 1) * queue.taskMs
  return {
    code: 'ALL_SLOTS_BUSY',
    message: `${inUse} of ${slots} slots of ${task.target?.agentName} are busy and ${ahead} tasks come before it`,
    evidence: {
      slots,
      running: inUse,
      position: ahead + 1,
      lane: task.priority,
      ...(startsAt !== undefined && { estimatedStart: iso(startsAt), taskSeconds: (queue?.taskMs ?? 0) / 1000 }),
    },
    wouldChange: 'a free slot, more instances or slots, or a higher priority',
  }
}

/** Nothing is in its way. */
export const dispatching = ({ task }: Situation): Why => ({
  code: 'DISPATCHING',
  message: `it is on its way to a free slot of ${task.target?.agentName}`,
  evidence: { queuedAt: iso(task.transition.at), sentAgainAt: task.dueAt === undefined ? undefined : iso(task.dueAt) },
  wouldChange: 'the next lease call of an instance; should its queue have lost it, it is sent again',
})

/** Of a queued task: whatever comes first would keep it even if nothing after it did. */
export const queuedCauses: Cause[] = [late, nobody, agentState, limited, noInstance, pinned, busy]
