import { SFNClient } from '@aws-sdk/client-sfn'
import { createMachineVersions } from '#shared/platform/aws/state-machine-versions.ts'
import { aMachine, aStep } from '#test/support/machines.ts'

export const arnPrefix = 'arn:aws:states:us-east-1:000000000000:stateMachine:devcycle-dev'
export const client = new SFNClient({ region: 'us-east-1' })
export const machines = createMachineVersions({
  client,
  arnPrefix,
  roleArn: 'arn:aws:iam::000000000000:role/workflows',
  stepsQueueUrl: 'https://sqs.invalid/1/steps',
  tags: { stage: 'dev' },
})
export const run = { tenant: 'acme', workflow: 'pull-request', run: 'run_1' }
export const machine = `${arnPrefix}-acme-pull-request-`
export const definition = { tenant: 'acme', workflow: 'pull-request', version: '3', asl: aMachine({ Ask: aStep() }) }
