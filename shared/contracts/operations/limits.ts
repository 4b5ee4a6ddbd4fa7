import { limitsSchema, patchLimitsSchema } from '../limits.ts'
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
    refusals: [412],
  },
} as const satisfies Record<string, Operation>
