import { type Example, ids, pageOf, times } from './example.ts'
import { aSubmit, attempt, queued } from './tasks.ts'

const counts = { total: 1000, submitted: 400, succeeded: 350, failed: 2, cancelled: 0 }
const batch = {
  id: ids.batch,
  name: 'letters',
  state: 'RUNNING',
  counts,
  percent: 35,
  maxInFlight: 1000,
  createdAt: times.created,
}

const cron = { expression: '30 8 * * 1-5', timeZone: 'Europe/Berlin' }
const schedule = {
  id: ids.schedule,
  name: 'nightly',
  cron,
  task: aSubmit,
  overlap: 'skip',
  catchUpSeconds: 300,
  jitterSeconds: 0,
  state: 'ACTIVE',
  next: ['2026-02-02T07:30:00.000Z', '2026-02-03T07:30:00.000Z'],
  counts: { started: 3, skipped: 0, missed: 0, refused: 0 },
  createdAt: times.created,
  updatedAt: times.created,
}

const used = {
  tasks: 3,
  succeeded: 2,
  failed: 1,
  cancelled: 0,
  attempts: 4,
  seconds: 32.5,
  tokens: 3600,
  cost: 0.03,
  compute: 0.001,
}
const limits = {
  tenant: { concurrency: 100, use: { running: 12, held: 0 } },
  agents: { upper: { concurrency: 4, use: { running: 4, held: 7 } } },
  keys: {},
  prices: { default: 0.05 },
}

export const planExamples = {
  submitTasks: {
    body: { tasks: [{ ...aSubmit, idempotencyKey: 'letter-1' }] },
    answer: { items: [{ index: 0, status: 202, task: queued }] },
  },
  createBatch: { body: { input: { $ref: ids.object }, task: { capability: 'text.upper' } }, answer: batch },
  listBatches: { answer: pageOf(batch) },
  getBatch: { answer: batch },
  cancelBatch: { answer: { ...batch, state: 'CANCELLED', finishedAt: times.finished } },
  createSchedule: { body: { name: 'nightly', cron, task: aSubmit, jitterSeconds: 60 }, answer: schedule },
  listSchedules: { answer: pageOf(schedule) },
  getSchedule: { answer: schedule },
  patchSchedule: { body: { state: 'PAUSED' }, answer: { ...schedule, state: 'PAUSED', next: [] } },
  runSchedule: { answer: { outcome: 'STARTED', at: times.created, task: ids.task } },
  deleteSchedule: {},
  getLimits: { answer: limits },
  patchLimits: { body: { agents: { upper: { concurrency: 4 } }, keys: { acme: null } }, answer: limits },
  getUsage: {
    answer: {
      since: '2026-01-02',
      until: '2026-01-31',
      items: [{ key: 'upper', ...used }],
      totals: used,
      nextCursor: null,
    },
  },
  getTaskUsage: {
    answer: {
      attempts: [{ ...attempt, seconds: 8, compute: 0.0001 }],
      totals: { seconds: 8, tokens: 1200, cost: 0.01, compute: 0.0001 },
    },
  },
} satisfies Record<string, Example>
