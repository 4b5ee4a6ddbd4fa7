import { type Example, ids, pageOf, times } from './example.ts'

const definition = {
  workflow: 'gate',
  steps: [{ name: 'review', kind: 'task', capability: 'code.review', input: '{% $input %}' }],
}
const workflow = {
  name: 'gate',
  latest: 3,
  aliases: { live: { 2: 90, 3: 10 } },
  createdAt: times.created,
  updatedAt: times.created,
}
const version = { workflow: 'gate', version: 3, createdAt: times.created }
const run = {
  id: ids.run,
  workflow: 'gate',
  version: 3,
  state: 'RUNNING',
  input: { branch: 'main' },
  redrives: 0,
  startedAt: times.started,
}
const step = { name: 'review', kind: 'task', state: 'RUNNING', task: ids.task, startedAt: times.started }
const problem = {
  severity: 'error',
  code: 'DEAD_REFERENCE',
  message: 'nothing is named reviev; did you mean $review?',
  pointer: '#/steps/1/input',
  line: 7,
  column: 16,
}
const event = { id: 2, previous: 1, time: times.started, type: 'TaskStateEntered', name: 'review' }
const shared = { key: 'files', value: ['a.ts', 'b.ts'], rev: '01KB2V7Q5W8S5ZK3M9N1P4R6T9' }
const { state: _, ...stopped } = run

export const workflowExamples = {
  createWorkflow: { body: { definition }, answer: workflow },
  validateWorkflow: { body: { definition: 'workflow: gate\nsteps: …' }, answer: { valid: false, problems: [problem] } },
  listWorkflows: { answer: pageOf(workflow) },
  getWorkflow: { answer: workflow },
  patchWorkflow: { body: { aliases: { live: { 2: 90, 3: 10 } } }, answer: workflow },
  listWorkflowVersions: { answer: pageOf(version) },
  getWorkflowVersion: { answer: { ...version, definition } },
  startRun: { body: { input: { branch: 'main' } }, answer: run },
  listRuns: { answer: pageOf(run) },
  getRun: { answer: { ...run, steps: [step] } },
  getRunWhy: {
    answer: {
      code: 'STEPS_RUN',
      message: 'run is under way: 1 step runs',
      steps: [{ name: 'review', code: 'ALL_SLOTS_BUSY', message: 'all 4 slots of code-reviewer are busy' }],
    },
  },
  getRunHistory: { answer: pageOf(event) },
  followRun: {
    answer: pageOf({
      id: '2',
      type: 'run.history',
      time: times.started,
      data: { id: 2, previous: 1, type: 'TaskStateEntered', name: 'review' },
    }),
  },
  stopRun: { body: { reason: 'not needed' }, answer: { ...stopped, state: 'STOPPED', finishedAt: times.finished } },
  redriveRun: { answer: { ...run, redrives: 1 } },
  rerunRun: { body: { input: { branch: 'next' } }, answer: { ...run, rerunOf: ids.run } },
  listRunValues: { answer: pageOf(shared) },
  getRunValue: { answer: shared },
  putRunValue: { body: { value: ['a.ts', 'b.ts'] }, answer: shared },
} satisfies Record<string, Example>
