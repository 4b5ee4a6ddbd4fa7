import { type Example, fence, ids, pageOf, times } from './example.ts'

const retry = { attempts: 5, initialSeconds: 2 }
export const aSubmit = { capability: 'text.upper', input: { text: 'hello' }, labels: { team: 'blue' }, retry }

export const queued = {
  id: ids.task,
  status: 'QUEUED',
  agent: 'upper',
  version: '1.0.0',
  capability: 'text.upper',
  priority: 'normal',
  labels: { team: 'blue' },
  attempt: 0,
  maxAttempts: 5,
  createdAt: times.created,
  deadline: times.nextDay,
  fairnessKey: 'key:admin',
}
const ended = { ...queued, attempt: 1, startedAt: times.started, finishedAt: times.finished }
export const succeeded = { ...ended, status: 'SUCCEEDED', result: { text: 'HELLO' }, cost: { seconds: 8 } }
export const cancelled = { ...ended, status: 'CANCELLED' }
export const waiting = {
  ...queued,
  status: 'WAITING',
  attempt: 1,
  waiting: { kind: 'input', prompt: 'which branch?', since: times.started, expiresAt: '2026-02-07T12:00:01.000Z' },
}
export const attempt = {
  attempt: 1,
  instance: ids.instance,
  version: '1.0.0',
  fence,
  startedAt: times.started,
  finishedAt: times.finished,
  outcome: 'SUCCEEDED',
  usage: { tokens: 1200, cost: 0.01 },
}
const event = { seq: 1, type: 'task.state', time: times.created, data: { status: 'QUEUED' } }
const why = {
  code: 'NO_LIVE_INSTANCE',
  message: 'agent upper has no live instance; the task runs as soon as one joins',
  evidence: { agent: 'upper', deadline: times.nextDay },
  wouldChange: 'an instance of upper that joins; without one it fails at its deadline',
}

export const taskExamples = {
  submitTask: { body: aSubmit, answer: queued },
  listTasks: { answer: pageOf(queued) },
  getTask: { answer: succeeded },
  listChildren: { answer: pageOf({ ...queued, parent: 'tsk_01KB2V7Q5W8S5ZK3M9N1P4R6T9' }) },
  getTaskResult: { answer: { text: 'HELLO' } },
  listAttempts: { answer: pageOf(attempt) },
  listTaskEvents: { answer: pageOf(event) },
  getTaskWhy: { answer: why },
  cancelTask: { body: { reason: 'not needed any more' }, answer: cancelled },
  retryTask: { body: { from: 'checkpoint' }, answer: { ...queued, retryOf: 'tsk_01KB2V7Q5W8S5ZK3M9N1P4R6T9' } },
  cancelTasks: {
    body: { filter: { agent: 'upper', labels: { team: 'blue' } }, reason: 'a wrong release', dryRun: true },
    answer: { matched: 12, cancelled: 0, complete: true },
  },
  giveInput: { body: { response: 'main' }, answer: queued },
} satisfies Record<string, Example>
