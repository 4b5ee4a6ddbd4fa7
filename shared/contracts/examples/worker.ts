import { type Example, fence, ids, pageOf, times } from './example.ts'
import { attempt, succeeded, waiting } from './tasks.ts'

const leased = {
  taskId: ids.task,
  fence,
  attempt: 1,
  capability: 'text.upper',
  input: { text: 'hello' },
  deadline: times.nextDay,
  timeoutSeconds: 3600,
  leaseSeconds: 30,
  traceparent: null,
  budgetLeft: null,
}
const joined = {
  instanceId: ids.instance,
  token: 'dci_…',
  tokenExpiresIn: 86_400,
  heartbeatSeconds: 10,
  leaseSeconds: 30,
}
const progress = { fence, percent: 40, message: 'two of five files', checkpoint: { file: 2 } }
const records = [
  { seq: 1, value: 'a' },
  { seq: 2, value: 'b' },
]
const measured = { cpuSeconds: 2.5, peakMemoryMb: 180, bytesWritten: 4096 }
const ask = { fence, kind: 'input', prompt: 'which branch?', checkpoint: { step: 2 } }

export const workerExamples = {
  joinInstance: { body: { agent: 'upper', slots: 4 }, answer: joined },
  heartbeat: {
    body: { running: [{ taskId: ids.task, fence }] },
    answer: { renewed: [ids.task], lost: [], cancel: [], drain: false },
  },
  leaseTasks: { body: { max: 4 }, answer: { tasks: [leased] } },
  leaveInstance: {},
  reportProgress: { body: progress },
  completeTask: { body: { fence, result: { text: 'HELLO' }, usage: { tokens: 1200 } }, answer: succeeded },
  completeTasks: {
    body: { completions: [{ taskId: ids.task, fence, result: { text: 'HELLO' } }] },
    answer: { outcomes: [{ taskId: ids.task, status: 200 }] },
  },
  failTask: {
    body: { fence, code: 'AGENT_ERROR', message: 'the compiler ended with 1', retryable: true },
    answer: { willRetry: true, nextAttemptAt: times.finished },
  },
  measureAttempt: { body: measured, answer: { ...attempt, outcome: 'CANCELLED', usage: measured } },
  waitTask: { body: ask, answer: waiting },
  readInput: { answer: { records, ended: false, nextAfter: 2 } },
  createObject: {
    body: { contentType: 'application/json', size: 1_048_576 },
    answer: {
      id: ids.object,
      ref: { $ref: ids.object },
      state: 'PENDING',
      size: 1_048_576,
      contentType: 'application/json',
      createdAt: times.created,
      upload: {
        method: 'PUT',
        url: 'https://objects.example.com/…',
        headers: { 'if-none-match': '*', 'content-type': 'application/json' },
        expiresAt: '2026-01-31T13:00:00.000Z',
      },
    },
  },
  getObject: {
    answer: {
      id: ids.object,
      ref: { $ref: ids.object },
      state: 'STORED',
      size: 1_048_576,
      sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      contentType: 'application/json',
      createdAt: times.created,
      download: {
        method: 'GET',
        url: 'https://objects.example.com/…',
        headers: {},
        expiresAt: '2026-01-31T13:00:00.000Z',
      },
    },
  },
  listInstances: {
    answer: pageOf({
      id: ids.instance,
      agent: 'upper',
      version: '1.0.0',
      state: 'ONLINE',
      detail: 'READY',
      slots: 4,
      running: 1,
      labels: {},
      joinedAt: times.created,
      history: [{ to: 'ONLINE', reason: 'joined', by: 'key:agents', at: times.created }],
    }),
  },
} satisfies Record<string, Example>
