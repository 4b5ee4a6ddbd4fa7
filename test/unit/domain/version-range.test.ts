import fc from 'fast-check'
import { Range, satisfies } from 'semver'
import { expect, it } from 'vitest'
import { inRange } from '#shared/domain/dispatch/version-range.ts'

const part = fc.integer({ min: 0, max: 3 })
const pre = fc.option(fc.constantFrom('alpha', 'alpha.1', 'beta', '0', '1', 'rc.2'), { nil: undefined })
const aVersion = fc
  .tuple(part, part, part, pre)
  .map(([a, b, c, end]) => `${a}.${b}.${c}${end === undefined ? '' : `-${end}`}`)
const aRange = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constantFrom('^', '~', '>=', '<', '<=', '>', '', '='), aVersion).map((both) => both.join('')),
      fc.tuple(aVersion, aVersion).map((both) => both.join(' - ')),
      fc.constantFrom('*', '1.x', '2', '>=1 <3', '>1.2.0-alpha <1.2.0'),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((sets) => sets.join(' || '))

it('a version is in a range exactly when the semver library says so', () => {
  fc.assert(
    fc.property(aVersion, aRange, (version, range) => {
      expect(inRange(version, new Range(range).range || '*')).toBe(satisfies(version, range))
    }),
    { numRuns: 3000 },
  )
})

it('what is no semantic version is in no range, and no range has what it cannot read', () => {
  expect(inRange('latest', '*')).toBe(false)
  expect(inRange('1.0.0', 'latest')).toBe(false)
})
