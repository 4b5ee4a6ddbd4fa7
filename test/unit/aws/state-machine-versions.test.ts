import {
  CreateStateMachineAliasCommand,
  CreateStateMachineCommand,
  DeleteStateMachineAliasCommand,
  DeleteStateMachineVersionCommand,
  DescribeStateMachineAliasCommand,
  ListStateMachineAliasesCommand,
  ListStateMachineVersionsCommand,
  SFNClient,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { machineName } from '#shared/platform/aws/state-machine-names.ts'
import { aMachine, aStep } from '#test/support/machines.ts'
import { sdkError } from './errors.ts'
import { definition, machine, machines, run } from './machines.ts'

const sfn = mockClient(SFNClient)
afterEach(() => sfn.reset())

const notThere = (): void => void sfn.on(DescribeStateMachineAliasCommand).rejects(sdkError('ResourceNotFound'))
const inputOf = (command: Parameters<typeof sfn.commandCalls>[0]): unknown =>
  sfn.commandCalls(command)[0]?.args[0].input

describe('a version of a workflow', () => {
  it('is left alone when it is there', async () => {
    sfn.on(DescribeStateMachineAliasCommand).resolves({})
    await machines.deploy(definition)
    expect(sfn.calls()).toHaveLength(1)
    expect(inputOf(DescribeStateMachineAliasCommand)).toEqual({
      stateMachineAliasArn: expect.stringMatching(new RegExp(`^${machine}[0-9a-f]{12}:v-3$`)),
    })
  })

  it('is published with a change of its machine, and named', async () => {
    notThere()
    sfn.on(UpdateStateMachineCommand).resolves({ stateMachineVersionArn: 'arn:machine:7' })
    await machines.deploy(definition)
    const update = sfn.commandCalls(UpdateStateMachineCommand)[0]?.args[0].input
    expect(update).toMatchObject({ publish: true, versionDescription: '3' })
    expect(update?.definition).toContain('"QueueUrl":"https://sqs.invalid/1/steps"')
    expect(inputOf(CreateStateMachineAliasCommand)).toEqual({
      name: 'v-3',
      routingConfiguration: [{ stateMachineVersionArn: 'arn:machine:7', weight: 100 }],
    })
  })

  it('makes its machine first, with whose it is', async () => {
    notThere()
    sfn.on(UpdateStateMachineCommand).rejects(sdkError('StateMachineDoesNotExist'))
    sfn.on(CreateStateMachineCommand).resolves({ stateMachineVersionArn: 'arn:machine:1' })
    await machines.deploy(definition)
    expect(inputOf(CreateStateMachineCommand)).toMatchObject({
      name: machineName('devcycle-dev', run),
      type: 'STANDARD',
      tags: expect.arrayContaining([
        { key: 'devcycle:tenant', value: 'acme' },
        { key: 'devcycle:workflow', value: 'pull-request' },
        { key: 'stage', value: 'dev' },
      ]),
    })
  })

  it('is published also when somebody else makes the machine, or names the version, at the same time', async () => {
    notThere()
    sfn
      .on(UpdateStateMachineCommand)
      .rejectsOnce(sdkError('StateMachineDoesNotExist'))
      .resolves({ stateMachineVersionArn: 'arn:machine:2' })
    sfn.on(CreateStateMachineCommand).rejects(sdkError('StateMachineAlreadyExists'))
    sfn.on(CreateStateMachineAliasCommand).rejects(sdkError('ConflictException'))
    await machines.deploy(definition)
    expect(sfn.commandCalls(UpdateStateMachineCommand)).toHaveLength(2)
  })

  it('takes the place of the oldest when there are as many as Step Functions names', async () => {
    notThere()
    sfn.on(UpdateStateMachineCommand).resolves({ stateMachineVersionArn: 'arn:machine:101' })
    sfn.on(CreateStateMachineAliasCommand).rejectsOnce(sdkError('ServiceQuotaExceededException')).resolves({})
    const live = { stateMachineAliasArn: 'arn:machine:live', creationDate: new Date(0) }
    const alias = (n: number) => ({ stateMachineAliasArn: `arn:machine:v-${n}`, creationDate: new Date(n) })
    sfn.on(ListStateMachineAliasesCommand).resolves({ stateMachineAliases: [live, alias(2), alias(1), alias(3)] })
    await machines.deploy(definition)
    expect(inputOf(DeleteStateMachineAliasCommand)).toEqual({ stateMachineAliasArn: 'arn:machine:v-1' })
    expect(sfn.commandCalls(CreateStateMachineAliasCommand)).toHaveLength(2)
  })

  it('takes the place of the oldest that nobody names when there are as many as Step Functions keeps', async () => {
    notThere()
    sfn
      .on(UpdateStateMachineCommand)
      .rejectsOnce(sdkError('ServiceQuotaExceededException'))
      .resolves({ stateMachineVersionArn: 'arn:machine:1001' })
    const versions = [3, 2, 1].map((n) => ({ stateMachineVersionArn: `arn:machine:${n}`, creationDate: new Date(n) }))
    sfn.on(ListStateMachineVersionsCommand).resolves({ stateMachineVersions: versions })
    sfn.on(DeleteStateMachineVersionCommand).rejectsOnce(sdkError('ConflictException')).resolves({})
    await machines.deploy(definition)
    const dropped = sfn.commandCalls(DeleteStateMachineVersionCommand).map(({ args }) => args[0].input)
    expect(dropped).toEqual([1, 2].map((n) => ({ stateMachineVersionArn: `arn:machine:${n}` })))
    expect(inputOf(CreateStateMachineAliasCommand)).toMatchObject({
      routingConfiguration: [{ stateMachineVersionArn: 'arn:machine:1001', weight: 100 }],
    })
  })

  it('is refused when it does not fit into a request, where its quotes are twice as long', async () => {
    const asl = { ...aMachine({ Ask: aStep() }), Comment: '"'.repeat(400_000) }
    await expect(machines.deploy({ ...definition, asl })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(/^the definition as a text in a request has \d+ bytes; 1040384 are possible$/),
    })
    expect(sfn.calls()).toEqual([])
  })

  it.each(['InvalidDefinition', 'ValidationException'])(
    'is refused with what Step Functions has against it: %s',
    async (name) => {
      notThere()
      sfn.on(UpdateStateMachineCommand).rejects(sdkError(name, { message: 'no StartAt' }))
      await expect(machines.deploy(definition)).rejects.toMatchObject({
        code: 'INVALID',
        message: expect.stringContaining('no StartAt'),
      })
    },
  )
})
