import { ListTagsForResourceCommand, SFNClient } from '@aws-sdk/client-sfn'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { createRunEnds } from '#shared/platform/aws/run-ends.ts'
import { executionArn } from '#shared/platform/aws/state-machine-names.ts'
import { arnPrefix, client, run } from './machines.ts'

const sfn = mockClient(SFNClient)
afterEach(() => sfn.reset())

describe('what EventBridge tells of runs', () => {
  const arn = executionArn(arnPrefix, run)

  it('is an end of the run that the tags of its machine belong to, looked up once', async () => {
    const [tenant, workflow] = ['acme', 'pull-request']
    sfn.on(ListTagsForResourceCommand).resolves({
      tags: [
        { key: 'devcycle:tenant', value: tenant },
        { key: 'devcycle:workflow', value: workflow },
      ],
    })
    const endOf = createRunEnds({ client })
    expect(await endOf({ executionArn: arn, status: 'FAILED' })).toEqual({ ...run, status: 'FAILED' })
    expect(await endOf({ executionArn: arn, status: 'TIMED_OUT' })).toEqual({ ...run, status: 'TIMED_OUT' })
    expect(sfn.commandCalls(ListTagsForResourceCommand).map(({ args }) => args[0].input)).toEqual([
      { resourceArn: arn.replace(':execution:', ':stateMachine:').replace(':run_1', '') },
    ])
  })

  it('is nothing while the run is under way, and nothing of machines that others made', async () => {
    sfn.on(ListTagsForResourceCommand).resolves({ tags: [] })
    const endOf = createRunEnds({ client })
    expect(await endOf({ executionArn: arn, status: 'RUNNING' })).toBeUndefined()
    expect(await endOf({ executionArn: arn, status: 'ABORTED' })).toBeUndefined()
  })
})
