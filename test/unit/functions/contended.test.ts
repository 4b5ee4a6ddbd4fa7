import { expect, it } from 'vitest'
import { toProblem } from '#functions/api/errors.ts'
import { DomainError } from '#shared/domain/domain-error.ts'

it('a request that too many came with is answered as one to repeat, and a real conflict as one that is not', async () => {
  const busy = toProblem(new DomainError('CONTENDED', 'too many change task t at once; try again'), 'req').response
  expect(busy.status).toBe(503)
  expect(busy.headers.get('retry-after')).toBe('1')
  expect(await busy.json()).toMatchObject({ code: 'CONTENDED', type: 'urn:devcycle:problem:contended' })
  const conflict = toProblem(new DomainError('CONFLICT', 'task t is RUNNING'), 'req').response
  expect(conflict.status).toBe(409)
  expect(conflict.headers.get('retry-after')).toBeNull()
})
