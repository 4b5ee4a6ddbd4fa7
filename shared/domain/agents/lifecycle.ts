import { type Refused, refuse } from '../domain-error.ts'
import { type Agent, type AgentChange, type DecidedState, stateDetails } from './agent.ts'

/** What a person may do to an agent, from which states, and what it is then. */
export type AgentOperation = 'pause' | 'maintenance' | 'resume' | 'activate' | 'drain'

type Row = { from: readonly DecidedState[]; to: DecidedState; detail: string; done: string }

const inService: DecidedState[] = ['REGISTERED', 'DEPLOYING', 'ONLINE', 'OFFLINE']

const rows: Record<AgentOperation, Row> = {
  pause: { from: [...inService, 'MAINTENANCE'], to: 'MAINTENANCE', detail: 'PAUSED', done: 'paused' },
  maintenance: {
    from: [...inService, 'ERROR', 'MAINTENANCE'],
    to: 'MAINTENANCE',
    detail: 'UPDATING',
    done: 'in maintenance',
  },
  resume: { from: ['MAINTENANCE'], to: 'ONLINE', detail: stateDetails.ONLINE, done: 'resumed' },
  activate: { from: [...inService, 'ERROR'], to: 'ONLINE', detail: stateDetails.ONLINE, done: 'activated' },
  drain: { from: ['ONLINE', 'DEPLOYING', 'MAINTENANCE'], to: 'OFFLINE', detail: 'DRAINING', done: 'draining' },
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
  if (!row.from.includes(agent.state))
    return refuse('CONFLICT', `agent ${agent.name} is ${agent.state} (${agent.detail}) and cannot be ${row.done}`)
  return recordChange(agent, { to: row.to, detail: row.detail, reason: reason ?? row.done, by, at })
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
