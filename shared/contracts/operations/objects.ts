import { createObjectSchema, objectSchema } from '../objects.ts'
import { type Operation, people } from './operation.ts'

export const objectOperations = {
  createObject: {
    method: 'POST',
    path: '/objects',
    tag: 'Objects',
    summary: 'Create an object to upload',
    audience: people,
    headers: ['Idempotency-Key'],
    body: createObjectSchema,
    bodyOptional: true,
    answers: { 201: { description: 'The object and where to send its bytes.', schema: objectSchema } },
    refusals: ['IDEMPOTENCY_CONFLICT'],
  },
  getObject: {
    method: 'GET',
    path: '/objects/{object}',
    tag: 'Objects',
    summary: 'Get an object and where to fetch its bytes',
    audience: people,
    answers: { 200: { description: 'The object.', schema: objectSchema } },
  },
} as const satisfies Record<string, Operation>
