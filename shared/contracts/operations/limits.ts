import { limitsSchema, patchLimitsSchema } from '../limits.ts'
import { taskUsageSchema, usageQuery, usageReportSchema } from '../usage.ts'
import { admins, type Operation } from './operation.ts'

export const limitOperations = {
  getLimits: {
    method: 'GET',
    path: '/limits',
    tag: 'Limits',
    summary: 'Get the limits and what is used of them',
    audience: admins,
    answers: { 200: { description: 'The limits.', schema: limitsSchema } },
  },
  patchLimits: {
    method: 'PATCH',
    path: '/limits',
    tag: 'Limits',
    summary: 'Change limits',
    description:
      'A merge patch: what is left out stays, `null` removes. Tasks that were held and have room now are woken.',
    audience: admins,
    headers: ['If-Match'],
    body: patchLimitsSchema,
    answers: { 200: { description: 'The changed limits.', schema: limitsSchema } },
  },
  getUsage: {
    method: 'GET',
    path: '/usage',
    tag: 'Limits',
    summary: 'Get what was used',
    description:
      'By tenant, agent or day: of tasks that ended on these UTC days, each counted once. `by=task`: of each task that was submitted on these days and has ended, newest first, in pages.',
    audience: admins,
    query: usageQuery,
    answers: { 200: { description: 'What was used, and the totals of it.', schema: usageReportSchema } },
  },
  getTaskUsage: {
    method: 'GET',
    path: '/tasks/{task}/usage',
    tag: 'Tasks',
    summary: 'Get what a task used',
    description: 'A row for each attempt, with the cost of its time, and what the budget leaves.',
    audience: admins,
    answers: { 200: { description: 'The ledger of the task.', schema: taskUsageSchema } },
  },
} as const satisfies Record<string, Operation>
