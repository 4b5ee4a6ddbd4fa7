import { capability, defineAgent } from '#agent/sdk/index.ts'
import { limits, testsInput, testsResult } from './contract.ts'

export default defineAgent({
  name: 'test-runner',
  type: 'test-runner',
  description: "Runs a repository's own tests and says which failed, and where.",
  /** The limit of the command itself is lower, so that going over it is a result and not a lost slot. */
  memoryMb: limits.memoryMb + 1024,
  capabilities: {
    'tests.run': capability({
      description:
        'Finds the test command of a repository (npm, pnpm, yarn, pytest, unittest, go, cargo, Maven, Gradle) or takes one, and runs it.',
      input: testsInput,
      output: testsResult,
      handler: async (ctx, input) => (await import('./run-tests.ts')).runTests(ctx, input),
    }),
  },
})
