import { describe, expect, it } from 'vitest'
import { checkAt } from '#shared/domain/check-at.ts'
import { DomainError, type DomainErrorCode, invalid } from '#shared/domain/domain-error.ts'
import { RateLimitedError } from '#shared/domain/limits/submit-rate.ts'

const place = { at: '#/task', names: 'agent' }
const refusedAs = (error: DomainError): Promise<unknown> =>
  checkAt(place, () => Promise.reject(error)).catch((one: unknown) => one)

describe('what is refused of a part', () => {
  it('is told by its place in the whole', async () => {
    expect(await refusedAs(invalid('#/input/n', 'TYPE', 'expected a number'))).toMatchObject({
      errors: [{ pointer: '#/task/input/n', code: 'TYPE' }],
    })
  })

  it.each<DomainErrorCode>(['NOT_FOUND', 'CONFLICT'])('points at what it names when that is %s', async (code) => {
    const { errors } = (await refusedAs(new DomainError(code, 'agent gone'))) as DomainError
    expect(errors).toEqual([{ pointer: '#/task/agent', code, message: 'agent gone' }])
  })

  it('stays what it is when it is about no field', async () => {
    const rate = { name: 'submits', rate: { count: 1, seconds: 1 }, left: 0, fullInSeconds: 1 }
    for (const error of [new DomainError('CONTENDED', 'too many'), new RateLimitedError(rate, 7)])
      expect(await refusedAs(error)).toBe(error)
  })
})
