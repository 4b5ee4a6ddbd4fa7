import { capability, defineAgent } from '#agent/sdk/index.ts'
import { reviewInput, reviewResult } from './contract.ts'

export default defineAgent({
  name: 'code-reviewer',
  type: 'reviewer',
  description:
    'Reviews a repository offline: mistakes, security, secrets, duplicates, lockfiles and licences, as SARIF.',
  memoryMb: 1024,
  capabilities: {
    'code.review': capability({
      description: 'Reviews a repository, or with `base` only the lines that changed since it.',
      input: reviewInput,
      output: reviewResult,
      handler: async (ctx, input) => (await import('./review.ts')).review(ctx, input),
    }),
  },
})
