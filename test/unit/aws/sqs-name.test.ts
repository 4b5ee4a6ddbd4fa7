import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sqsGroup, sqsName } from '#shared/platform/aws/sqs-name.ts'

const lane = 'default.agt_01KXYZ0000000000000000000A.1.0.0.normal'

describe('names of queues', () => {
  it('keep what fits as it is', () => {
    expect(sqsName('devcycle-dev', 'due')).toBe('devcycle-dev-due')
  })

  it('stay readable where they have to be told apart by a digest', () => {
    expect(sqsName('dc-dev', lane)).toMatch(/^dc-dev-default-agt_01KXYZ0000000000000000000A-1-0-0-n.*-[0-9a-f]{12}$/)
    expect(sqsName('dc-dev', 'a.b')).not.toBe(sqsName('dc-dev', 'a-b'))
  })

  it('are ones that SQS takes, below the prefix, and different for different queues', () => {
    const name = fc.string({ minLength: 1, maxLength: 120, unit: 'grapheme' })
    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(sqsName('devcycle-staging', one)).toMatch(/^devcycle-staging-[A-Za-z0-9_-]{1,63}$/)
        expect(sqsName('p', one) === sqsName('p', other)).toBe(one === other)
      }),
    )
  })

  it('make groups that SQS takes, different for different keys', () => {
    const key = fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' })
    fc.assert(
      fc.property(key, key, (one, other) => {
        expect(sqsGroup(one)).toMatch(/^[\x21-\x7e]{1,128}$/)
        expect(sqsGroup(one) === sqsGroup(other)).toBe(one === other)
      }),
    )
  })
})
