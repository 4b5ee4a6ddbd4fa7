import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, expect, it } from 'vitest'
import { createRemoteDeployer } from '#shared/platform/aws/remote-deployer.ts'
import { aMachine, aStep } from '#test/support/machines.ts'
import { sdkError } from './errors.ts'

const lambda = mockClient(LambdaClient)
afterEach(() => lambda.reset())

const deployer = createRemoteDeployer({
  client: new LambdaClient({ region: 'us-east-1' }),
  functionName: 'devcycle-dev-deployer',
})
const definition = { tenant: 'acme', workflow: 'pull-request', version: '3', asl: aMachine({ Ask: aStep() }) }
const answers = (answer: object, FunctionError?: string): void => {
  lambda.on(InvokeCommand).resolves({ Payload: Buffer.from(JSON.stringify(answer)) as never, FunctionError })
}

it('hands the definition to the function that makes machines', async () => {
  answers({ ok: true })
  await deployer.deploy(definition)
  const { FunctionName, Payload } = lambda.commandCalls(InvokeCommand)[0]?.args[0].input ?? {}
  expect(FunctionName).toBe('devcycle-dev-deployer')
  expect(JSON.parse(String(Payload))).toEqual(definition)
})

it('refuses what the function refuses, in its words', async () => {
  answers({ ok: false, code: 'INVALID', message: 'Step Functions refuses the definition: no StartAt' })
  await expect(deployer.deploy(definition)).rejects.toMatchObject({
    code: 'INVALID',
    message: 'Step Functions refuses the definition: no StartAt',
  })
})

it('is worth another try when the function has failed, or is throttled', async () => {
  answers({ errorMessage: 'out of memory' }, 'Unhandled')
  await expect(deployer.deploy(definition)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
  lambda.on(InvokeCommand).rejects(sdkError('TooManyRequestsException', { status: 429 }))
  await expect(deployer.deploy(definition)).rejects.toMatchObject({ code: 'THROTTLED', retryable: true })
})
