import {
  CreateStateMachineAliasCommand,
  CreateStateMachineCommand,
  DeleteStateMachineAliasCommand,
  DeleteStateMachineVersionCommand,
  DescribeExecutionCommand,
  DescribeStateMachineAliasCommand,
  GetExecutionHistoryCommand,
  ListStateMachineAliasesCommand,
  ListStateMachineVersionsCommand,
  ListTagsForResourceCommand,
  RedriveExecutionCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { createRunEnds } from '#shared/platform/aws/run-ends.ts'
import { executionArn, machineName } from '#shared/platform/aws/state-machine-names.ts'
import { createMachineVersions } from '#shared/platform/aws/state-machine-versions.ts'
import { createStepFunctionsWorkflows } from '#shared/platform/aws/step-functions-workflows.ts'
import { aMachine, aStep } from '#test/support/machines.ts'
import { sdkError } from './errors.ts'

const sfn = mockClient(SFNClient)
afterEach(() => sfn.reset())

const arnPrefix = 'arn:aws:states:us-east-1:000000000000:stateMachine:devcycle-dev'
const client = new SFNClient({ region: 'us-east-1' })
const machines = createMachineVersions({
  client,
  arnPrefix,
  roleArn: 'arn:aws:iam::000000000000:role/workflows',
  stepsQueueUrl: 'https://sqs.invalid/1/steps',
  tags: { stage: 'dev' },
})
const workflows = createStepFunctionsWorkflows({ client, arnPrefix, machines })
const run = { tenant: 'acme', workflow: 'pull-request', run: 'run_1' }
const machine = `${arnPrefix}-acme-pull-request-`
const definition = { tenant: 'acme', workflow: 'pull-request', version: '3', asl: aMachine({ Ask: aStep() }) }
const notThere = (): void => void sfn.on(DescribeStateMachineAliasCommand).rejects(sdkError('ResourceNotFound'))
const inputOf = (command: Parameters<typeof sfn.commandCalls>[0]): unknown =>
  sfn.commandCalls(command)[0]?.args[0].input

describe('a version of a workflow', () => {
  it('is left alone when it is there', async () => {
    sfn.on(DescribeStateMachineAliasCommand).resolves({})
    await workflows.deploy(definition)
    expect(sfn.calls()).toHaveLength(1)
    expect(inputOf(DescribeStateMachineAliasCommand)).toEqual({
      stateMachineAliasArn: expect.stringMatching(new RegExp(`^${machine}[0-9a-f]{12}:v-3$`)),
    })
  })

  it('is published with a change of its machine, and named', async () => {
    notThere()
    sfn.on(UpdateStateMachineCommand).resolves({ stateMachineVersionArn: 'arn:machine:7' })
    await workflows.deploy(definition)
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
    await workflows.deploy(definition)
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
    await workflows.deploy(definition)
    expect(sfn.commandCalls(UpdateStateMachineCommand)).toHaveLength(2)
  })

  it('takes the place of the oldest when there are as many as Step Functions names', async () => {
    notThere()
    sfn.on(UpdateStateMachineCommand).resolves({ stateMachineVersionArn: 'arn:machine:101' })
    sfn.on(CreateStateMachineAliasCommand).rejectsOnce(sdkError('ServiceQuotaExceededException')).resolves({})
    const live = { stateMachineAliasArn: 'arn:machine:live', creationDate: new Date(0) }
    const alias = (n: number) => ({ stateMachineAliasArn: `arn:machine:v-${n}`, creationDate: new Date(n) })
    sfn.on(ListStateMachineAliasesCommand).resolves({ stateMachineAliases: [live, alias(2), alias(1), alias(3)] })
    await workflows.deploy(definition)
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
    await workflows.deploy(definition)
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
      await expect(workflows.deploy(definition)).rejects.toMatchObject({
        code: 'INVALID',
        message: expect.stringContaining('no StartAt'),
      })
    },
  )
})

describe('a run on Step Functions', () => {
  it('is started by name at its version, and is there when it was started before', async () => {
    sfn.on(StartExecutionCommand).rejects(sdkError('ExecutionAlreadyExists'))
    await workflows.start({ ...run, version: '3', input: { n: 1 } })
    expect(inputOf(StartExecutionCommand)).toEqual({
      stateMachineArn: expect.stringMatching(/-pull-request-[0-9a-f]{12}:v-3$/),
      name: 'run_1',
      input: '{"n":1}',
    })
  })

  it('is refused at a version that is not there', async () => {
    sfn.on(StartExecutionCommand).rejects(sdkError('StateMachineDoesNotExist'))
    await expect(workflows.start({ ...run, version: '9', input: null })).rejects.toMatchObject({ code: 'INVALID' })
  })

  it('is nothing that Step Functions is asked about when its name cannot be one', async () => {
    await expect(workflows.start({ ...run, run: 'a/b', version: '3', input: null })).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringContaining('"a/b"'),
    })
    expect(sfn.calls()).toEqual([])
  })

  it('is described with the version that its alias names', async () => {
    const [startDate, stopDate] = [new Date(1000), new Date(2000)]
    sfn.on(DescribeExecutionCommand).resolves({
      status: 'SUCCEEDED',
      startDate,
      stopDate,
      input: '{"n":1}',
      output: '[2]',
      stateMachineAliasArn: `${machine}abc:v-3`,
    })
    expect(await workflows.describe(run)).toEqual({
      version: '3',
      status: 'SUCCEEDED',
      startedAt: 1000,
      stoppedAt: 2000,
      input: { n: 1 },
      output: [2],
    })
    sfn.on(DescribeExecutionCommand).resolves({ status: 'PENDING_REDRIVE', startDate, stopDate, error: 'x' })
    expect(await workflows.describe(run)).toMatchObject({ status: 'RUNNING', startedAt: 1000 })
  })

  it('is nothing when Step Functions does not know it', async () => {
    sfn.onAnyCommand().rejects(sdkError('ExecutionDoesNotExist'))
    expect(await workflows.describe(run)).toBeUndefined()
    expect(await workflows.history(run, {})).toEqual({ events: [] })
    expect(await workflows.redrive(run)).toBe(false)
    await workflows.stop(run, { error: 'x' })
  })

  it('is redriven when it can be', async () => {
    sfn.on(RedriveExecutionCommand).resolvesOnce({}).rejects(sdkError('ExecutionNotRedrivable'))
    expect(await workflows.redrive(run)).toBe(true)
    expect(await workflows.redrive(run)).toBe(false)
  })

  it('tells events with what they are about', async () => {
    const timestamp = new Date(5)
    sfn.on(GetExecutionHistoryCommand).resolves({
      nextToken: 'more',
      events: [
        {
          id: 4,
          previousEventId: 3,
          timestamp,
          type: 'TaskStateEntered',
          stateEnteredEventDetails: { name: 'Ask', input: '{"n":1}' },
        },
        {
          id: 5,
          previousEventId: 4,
          timestamp,
          type: 'TaskFailed',
          taskFailedEventDetails: { resource: 'r', resourceType: 's', error: 'E', cause: 'C' },
        },
      ],
    })
    expect(await workflows.history(run, { limit: 5000, order: 'descending' })).toEqual({
      cursor: 'more',
      events: [
        { id: 4, previous: 3, at: 5, type: 'TaskStateEntered', name: 'Ask', input: { n: 1 } },
        { id: 5, previous: 4, at: 5, type: 'TaskFailed', error: 'E', cause: 'C' },
      ],
    })
    expect(inputOf(GetExecutionHistoryCommand)).toMatchObject({ maxResults: 1000, reverseOrder: true })
  })
})

describe('whoever follows a run', () => {
  const event = (id: number) => ({ id, timestamp: new Date(5), type: 'TaskStateEntered' as const })

  it('is told what is behind an event, read from the end, and no further back than that', async () => {
    sfn
      .on(GetExecutionHistoryCommand)
      .resolvesOnce({ nextToken: 'more', events: [event(6), event(5)] })
      .resolvesOnce({ nextToken: 'even more', events: [event(4), event(3)] })
    expect((await workflows.eventsAfter(run, 3, { ms: 0 })).map(({ id }) => id)).toEqual([4, 5, 6])
    expect(inputOf(GetExecutionHistoryCommand)).toMatchObject({ reverseOrder: true, includeExecutionData: false })
    expect(sfn.commandCalls(GetExecutionHistoryCommand)).toHaveLength(2)
  })

  it('looks again until there is something, or the time is over', async () => {
    sfn
      .on(GetExecutionHistoryCommand)
      .resolvesOnce({ events: [event(3)] })
      .resolves({ events: [event(4), event(3)] })
    expect((await workflows.eventsAfter(run, 3, { ms: 20_000 })).map(({ id }) => id)).toEqual([4])
    expect(await workflows.eventsAfter(run, 4, { ms: 1 })).toEqual([])
  })
})

describe('an answer to a step', () => {
  it.each([
    ['TaskTimedOut', { ok: false, reason: 'OVER' }],
    ['TaskDoesNotExist', { ok: false, reason: 'UNKNOWN' }],
    ['InvalidToken', { ok: false, reason: 'UNKNOWN' }],
  ])('that is refused with %s says why', async (name, answer) => {
    sfn.onAnyCommand().rejects(sdkError(name))
    expect(await workflows.succeed('token', 1)).toEqual(answer)
    expect(await workflows.fail('token', { error: 'E' })).toEqual(answer)
    expect(await workflows.heartbeat('token')).toEqual(answer)
  })

  it('that was taken before its answer was lost is over when it is repeated', async () => {
    sfn.on(SendTaskSuccessCommand).rejectsOnce(sdkError('TimeoutError')).rejects(sdkError('TaskTimedOut'))
    await expect(workflows.succeed('token', 1)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    expect(await workflows.succeed('token', 1)).toEqual({ ok: false, reason: 'OVER' })
  })
})

describe('calls that can be repeated', () => {
  const calls = {
    deploy: () => workflows.deploy(definition),
    start: () => workflows.start({ ...run, version: '3', input: null }),
    stop: () => workflows.stop(run, {}),
    describe: () => workflows.describe(run),
    history: () => workflows.history(run, {}),
    eventsAfter: () => workflows.eventsAfter(run, 0, { ms: 0 }),
    succeed: () => workflows.succeed('token', 1),
    fail: () => workflows.fail('token', {}),
    heartbeat: () => workflows.heartbeat('token'),
    redrive: () => workflows.redrive(run),
  }

  it.each(Object.entries(calls))('say so when %s is throttled or not answered', async (_, call) => {
    sfn.onAnyCommand().rejects(sdkError('ThrottlingException'))
    await expect(call()).rejects.toMatchObject({ code: 'THROTTLED', retryable: true })
    sfn.onAnyCommand().rejects(sdkError('InternalError', { status: 503 }))
    await expect(call()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
  })

  it('stop at what no repetition helps', async () => {
    sfn.on(StopExecutionCommand).rejects(sdkError('AccessDeniedException'))
    await expect(workflows.stop(run, {})).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
})

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
