import { sendsAway } from '../agents/lifecycle.ts'
import { hasLabels, type Labels, showLabels } from '../dispatch/requirements.ts'
import { roomFor } from '../dispatch/reserve.ts'
import { isUnmet } from '../tasks/holders.ts'
import type { Task } from '../tasks/task.ts'
import { type Cause, iso, type LiveInstance, type Situation, type Why, type WhyCode } from './cause.ts'

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
  target ? `${target.agentName} or an instance of it that has` : `an agent that offers ${capability}, and has`

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
  const stands = limit && `the limit of ${limit.name} (${limit.allowed}) leaves no ${rate ? 'start' : 'place'}`
  return {
    code: rate ? 'RATE' : 'LIMIT',
    message: stands ?? task.blockedBy?.message ?? `the limit ${task.heldBy} is gone; it is about to be woken`,
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

const outOfSeconds: Cause = ({ reserved }) => {
  if (reserved === undefined) return undefined
  const { budget, seconds, by } = reserved
  const others = by.length > 1 ? ' and others' : ''
  return {
    code: 'BUDGET',
    message: `what is left of the ${seconds} seconds of the budget of ${budget} is reserved by ${by[0]?.task}${others}`,
    evidence: { budget, seconds, reservedBy: by },
    wouldChange:
      'the end of one of these that does not need all of it; once they have used it up this one fails with BUDGET',
  }
}

/** How many free slots of an instance its task may have: the others are kept for higher lanes. */
const roomOn = ({ task, agent }: Situation, instance: LiveInstance): number => roomFor(task, agent, instance)

/** The labels that it requires, where those are not its agent's but of some instances of it. */
const ofInstances = ({ task, agent }: Situation): Labels | undefined => {
  const wanted = task.requirements?.labels
  return wanted === undefined || hasLabels(wanted, agent?.labels ?? {}) ? undefined : wanted
}

const pinned: Cause = (situation) => {
  const { task, live, pin } = situation
  const one = live.find(({ id }) => id === task.pinnedTo)
  if (task.affinityKey === undefined || one === undefined || roomOn(situation, one) > 0) return undefined
  if (pin !== one.id && ofInstances(situation) !== undefined) return undefined // it is there for its labels
  const are = one.running < one.slots ? 'whose free slots are kept for higher lanes' : 'all of whose slots are busy'
  return {
    code: 'AFFINITY',
    message: `tasks of the key ${task.affinityKey} run on ${one.id}, ${are}`,
    evidence: { affinityKey: task.affinityKey, instance: one.id, slots: one.slots, running: one.running },
    wouldChange: 'a free slot there, or its end',
  }
}

const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0)

/** What all open instances that may do it have together; `usable`: what the lane of the task may have of it at most. */
const slotsOf = (situation: Situation) => {
  const wanted = ofInstances(situation)
  const open = situation.live.filter(
    ({ draining, labels }) => !draining && hasLabels(wanted, situation.agent?.labels ?? {}, labels),
  )
  const slots = sum(open.map((one) => one.slots))
  const running = sum(open.map((one) => one.running))
  const room = sum(open.map((one) => roomOn(situation, one)))
  const usable = sum(open.map((one) => roomOn(situation, { ...one, running: 0 })))
  return { slots, running, room, usable, kept: room === 0 ? Math.max(0, slots - running) : 0 }
}

const turn = (ahead: number): string => {
  if (ahead === 0) return 'it is the next'
  return ahead === 1 ? '1 task comes before it' : `${ahead} tasks come before it`
}

const startOf = ({ now, queue }: Situation, usable: number): Why['evidence'] => {
  const { ahead = 0, taskMs } = queue ?? {}
  if (taskMs === undefined) return {}
  const startsAt = now + (Math.floor(ahead / Math.max(1, usable)) + 1) * taskMs
  return { estimatedStart: iso(startsAt), taskSeconds: taskMs / 1000 }
}

const busy: Cause = (situation) => {
  const { task, queue, agent } = situation
  const { slots, running, room, usable, kept } = slotsOf(situation)
  const labels = ofInstances(situation)
  const whose = `${task.target?.agentName}${labels ? ` with the labels ${showLabels(labels)}` : ''}`
  const ahead = queue?.ahead ?? 0
  if (ahead < room) return undefined
  const reserve = kept > 0 ? `, ${kept} more ${kept === 1 ? 'is' : 'are'} kept free for higher lanes,` : ''
  const fewer = kept > 0 && agent?.configuration.reservedSlots ? ', or fewer reservedSlots of its agent' : ''
  return {
    code: 'ALL_SLOTS_BUSY',
    message:
      room > 0
        ? `${room} of ${slots} slots of ${whose} are free for it, but ${turn(ahead)}`
        : `${running} of ${slots} slots of ${whose} are busy${reserve} and ${turn(ahead)}`,
    evidence: {
      slots,
      running,
      ...(labels && { labels }),
      ...(kept > 0 && { reserved: kept }),
      position: ahead + 1,
      lane: task.priority,
      ...startOf(situation, usable),
    },
    wouldChange: `a free slot, more instances or slots${labels ? ' with these labels' : ''}${fewer ? ', ' : ', or '}a higher priority${fewer}`,
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
export const queuedCauses: Cause[] = [late, nobody, agentState, limited, noInstance, outOfSeconds, pinned, busy]
