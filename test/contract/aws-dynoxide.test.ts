import { test } from 'vitest'
import { dynoxideBinary, noDynoxide, startDynoxide } from '#test/support/dynoxide.ts'
import { runAwsContractSuites } from './aws-suites.ts'

if (dynoxideBinary() === undefined)
  test('DynamoDB on dynoxide', (context) => {
    console.info(`cannot: DynamoDB on dynoxide: ${noDynoxide}`)
    context.skip(noDynoxide)
  })
else
  runAwsContractSuites({
    label: 'dynoxide',
    suites: ['table', 'feed'],
    endpoints: async () => {
      const { endpoint, stop } = await startDynoxide()
      return { dynamodb: endpoint, stop }
    },
  })
