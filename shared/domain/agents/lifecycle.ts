import { type Refused, refuse } from '../domain-error.ts'
import { type Agent, type AgentChange, type DecidedState, stateDetails } from './agent.ts'

/** What a person may do to an agent, from which states, and what it is then. */
export type AgentOperation = 'pause' | 'maintenance' | 'resume' | 'activate' | 'drain'

/** `instead` is what helps in a state that it does not start from. */
type Row = {
  from: readonly DecidedState[]
  to: DecidedState
  detail: string
  done: string
  instead?: Partial<Record<DecidedState, string>>
}

const inService: DecidedState[] = ['REGISTERED', 'DEPLOYING', 'ONLINE', 'OFFLINE']

const activateIt = 'activate it to bring it back into service'
const startIt = 'it is in service already: where nothing of it runs, start an instance of it'

const rows: Record<AgentOperation, Row> = {
  pause: {
    from: [...inService, 'MAINTENANCE'],
    to: 'MAINTENANCE',
    detail: 'PAUSED',
    done: 'paused',
    instead: { ERROR: activateIt },
  },
  maintenance: {
    from: [...inService, 'ERROR', 'MAINTENANCE'],
    to: 'MAINTENANCE',
    detail: 'UPDATING',
    done: 'in maintenance',
  },
  resume: {
    from: ['MAINTENANCE'],
    to: 'ONLINE',
    detail: stateDetails.ONLINE,
    done: 'resumed',
    instead: { REGISTERED: startIt, DEPLOYING: startIt, ONLINE: startIt, OFFLINE: activateIt, ERROR: activateIt },
  },
  activate: {
    from: [...inService, 'ERROR'],
    to: 'ONLINE',
    detail: stateDetails.ONLINE,
    done: 'activated',
    instead: { MAINTENANCE: 'resume it' },
  },
  drain: {
    from: ['ONLINE', 'DEPLOYING', 'MAINTENANCE'],
    to: 'OFFLINE',
    detail: 'DRAINING',
    done: 'drained',
    instead: {
      REGISTERED: 'no instance of it has joined yet: pause it to hold its tasks back',
      OFFLINE: `it is out of service already: ${activateIt}`,
      ERROR: activateIt,
    },
  },
}

const historyLimit = 50

/** The agent after an operation; the same one again where it is so already. */
export const operateAgent = (
  agent: Agent,
  operation: AgentOperation,
  { by, at, reason }: { by: string; at: number; reason?: string },
): Agent | Refused => {
  const row = rows[operation]
  if (agent.state === row.to && agent.detail === row.detail) return agent
  if (!row.from.includes(agent.state)) return refuse('CONFLICT', messageOf(agent, row))
  return recordChange(agent, { to: row.to, detail: row.detail, reason: reason ?? row.done, by, at })
}

const messageOf = ({ name, state, detail }: Agent, { done, instead }: Row): string => {
  const help = instead?.[state]
  return `agent ${name} is ${state} (${detail}) and cannot be ${done}${help ? `; ${help}` : ''}`
}

/** Moves the agent and keeps what happened. */
export const recordChange = (agent: Agent, change: Omit<AgentChange, 'from'>): Agent => ({
  ...agent,
  state: change.to,
  detail: change.detail,
  updatedAt: change.at,
  history: [...(agent.history ?? []), { from: agent.state, ...change }].slice(-historyLimit),
})

/** How many copies its host is to keep; `undefined`: as many as its work needs. */
export const scaleAgent = (
  agent: Agent,
  wanted: number | undefined,
  { by, at, reason }: { by: string; at: number; reason?: string },
): Agent => {
  if (agent.wanted === wanted) return agent
  const { state: to, detail } = agent
  const said = reason ?? `scaled to ${wanted ?? 'as many as it needs'}`
  return { ...recordChange(agent, { to, detail, reason: said, by, at }), wanted }
}

/** Whether its instances are to finish and to leave, and those that join as well, until a person says otherwise. */
export const sendsAway = ({ state, detail }: Agent): boolean =>
  (state === 'OFFLINE' && detail === rows.drain.detail) ||
  (state === 'MAINTENANCE' && detail === rows.maintenance.detail)

/** Whether tasks are handed out to its instances. */
export const handsOut = (agent: Agent): boolean => agent.state !== 'MAINTENANCE' && !sendsAway(agent)
