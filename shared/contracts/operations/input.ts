import { inputAnswerSchema, inputPageSchema, inputSchema, readInputQuery, waitSchema } from '../input.ts'
import { taskSchema } from '../tasks.ts'
import { admins, type Operation, workers } from './operation.ts'

export const inputOperations = {
  waitTask: {
    method: 'POST',
    path: '/tasks/{task}/wait',
    tag: 'Worker protocol',
    summary: 'Wait for input or an approval',
    description: 'Ends the lease; the task goes on under a new one, whose `resume` has the answer.',
    audience: workers,
    body: waitSchema,
    answers: { 200: { description: 'The waiting task; as it is by now when repeated.', schema: taskSchema } },
    refusals: ['STALE_FENCE', 'ALREADY_FINISHED'],
  },
  giveInput: {
    method: 'POST',
    path: '/tasks/{task}/input',
    tag: 'Tasks',
    summary: 'Give input to a task',
    description: '`response` answers a task that waits for input; `records` are appended to its input stream.',
    audience: admins,
    headers: ['Idempotency-Key'],
    body: inputSchema,
    answers: { 200: { description: 'The task, or how far its input stream goes.', schema: inputAnswerSchema } },
    refusals: ['NOT_WAITING', 'ALREADY_FINISHED', 'INPUT_ENDED', 'IDEMPOTENCY_CONFLICT', 'INPUT_FULL'],
  },
  readInput: {
    method: 'GET',
    path: '/tasks/{task}/input',
    tag: 'Worker protocol',
    summary: 'Read the input stream of a task',
    description: 'Waits for records after `after`, which says that those up to it were read.',
    audience: workers,
    query: readInputQuery,
    answers: { 200: { description: 'Records, ascending.', schema: inputPageSchema } },
    refusals: ['STALE_FENCE'],
  },
} as const satisfies Record<string, Operation>
