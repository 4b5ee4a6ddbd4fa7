import {
  batchPageSchema,
  batchSchema,
  createBatchSchema,
  listBatchesQuery,
  submitTasksSchema,
  submittedTasksSchema,
} from '../batches.ts'
import { refusalsOfNewTasks } from '../refusals.ts'
import { admins, type Operation } from './operation.ts'

export const batchOperations = {
  submitTasks: {
    method: 'POST',
    path: '/tasks:batch',
    tag: 'Batches',
    summary: 'Submit up to 100 tasks',
    description: 'Each has an outcome of its own. One `Idempotency-Key` covers all.',
    audience: admins,
    headers: ['Idempotency-Key', 'traceparent'],
    body: submitTasksSchema,
    answers: { 200: { description: 'What became of each.', schema: submittedTasksSchema } },
    refusals: ['IDEMPOTENCY_CONFLICT'],
  },
  createBatch: {
    method: 'POST',
    path: '/batches',
    tag: 'Batches',
    summary: 'Submit a task for each line of an object',
    audience: admins,
    headers: ['Idempotency-Key'],
    body: createBatchSchema,
    answers: { 202: { description: 'Accepted: every row becomes a task.', schema: batchSchema } },
    refusals: refusalsOfNewTasks,
  },
  listBatches: {
    method: 'GET',
    path: '/batches',
    tag: 'Batches',
    summary: 'List batches',
    audience: admins,
    query: listBatchesQuery,
    answers: { 200: { description: 'A page of batches, newest first.', schema: batchPageSchema } },
  },
  getBatch: {
    method: 'GET',
    path: '/batches/{batch}',
    tag: 'Batches',
    summary: 'Get a batch and how far it is',
    audience: admins,
    answers: { 200: { description: 'The batch.', schema: batchSchema } },
  },
  cancelBatch: {
    method: 'POST',
    path: '/batches/{batch}/cancel',
    tag: 'Batches',
    summary: 'Cancel a batch and its tasks',
    audience: admins,
    answers: { 200: { description: 'The batch: it ends when its tasks have.', schema: batchSchema } },
    refusals: ['ALREADY_FINISHED', 'CONFLICT'],
  },
} as const satisfies Record<string, Operation>
