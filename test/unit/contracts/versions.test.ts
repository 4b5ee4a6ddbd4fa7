import { expect, it } from 'vitest'
import { versionSchema } from '#shared/contracts/common.ts'
import { retrySchema } from '#shared/contracts/retry.ts'

it.each(['1.0.0', '0.10.3', '1.0.0-rc.1', '1.0.0-0', '1.0.0-0a', '1.0.0--'])('%s is a semantic version', (version) =>
  expect(versionSchema.safeParse(version).success).toBe(true),
)
it.each(['01.0.0', '1.00.0', '1.0.0-01', '1.0.0-a..b', '1.0.0-', '1.0', '1.0.0+x', `1.0.0-${'a'.repeat(51)}`])(
  '%s is none',
  (version) => expect(versionSchema.safeParse(version).success).toBe(false),
)
it('codes to retry on are codes that a failure can have', () => {
  const isCode = (code: string) => retrySchema.safeParse({ retryableCodes: [code] }).success
  expect(['AGENT_ERROR', 'A', 'a b', 'timeout', ''].map(isCode)).toEqual([true, true, false, false, false])
})
