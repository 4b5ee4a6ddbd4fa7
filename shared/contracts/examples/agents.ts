import { type Example, ids, pageOf, times } from './example.ts'

const text = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }
const capability = { name: 'text.upper', description: 'Text in capital letters.', inputSchema: text }
const agent = {
  id: ids.agent,
  name: 'upper',
  type: 'custom',
  version: '1.0.0',
  state: 'ONLINE',
  detail: 'READY',
  capabilities: [capability],
  configuration: { maxConcurrentTasks: 10 },
  labels: { team: 'blue' },
  instances: { live: 1, slots: 4, running: 0 },
  createdAt: times.created,
  updatedAt: times.created,
}
const paused = { ...agent, state: 'MAINTENANCE', detail: 'PAUSED' }
const maintained = { ...agent, state: 'MAINTENANCE', detail: 'UPDATING' }
const draining = { ...agent, state: 'OFFLINE', detail: 'DRAINING' }
const because = { reason: 'a release' }

export const agentExamples = {
  registerAgent: {
    body: { name: 'upper', capabilities: [capability], configuration: { maxConcurrentTasks: 10 } },
    answer: { ...agent, state: 'REGISTERED', detail: 'PENDING', instances: { live: 0, slots: 0, running: 0 } },
  },
  listAgents: { answer: pageOf(agent) },
  getAgent: { answer: agent },
  patchAgent: { body: { configuration: { maxConcurrentTasks: 20 } }, answer: agent },
  deleteAgent: {},
  pauseAgent: { body: because, answer: paused },
  maintainAgent: { body: because, answer: maintained },
  resumeAgent: { body: because, answer: agent },
  activateAgent: { body: because, answer: agent },
  drainAgent: { body: because, answer: draining },
  scaleAgent: { body: { instances: 3 }, answer: { ...agent, instances: { ...agent.instances, wanted: 3 } } },
  getAgentHistory: {
    answer: pageOf({
      from: 'REGISTERED',
      to: 'ONLINE',
      detail: 'READY',
      reason: 'an instance joined',
      by: `instance:${ids.instance}`,
      at: times.started,
    }),
  },
} satisfies Record<string, Example>
