import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { createStepFunctionsWorkflows } from '#shared/platform/aws/step-functions-workflows.ts'
import { sdkError } from './errors.ts'
import { arnPrefix, client, definition, machine, machines, run } from './machines.ts'

const sfn = mockClient(SFNClient)
afterEach(() => sfn.reset())

const workflows = createStepFunctionsWorkflows({ client, arnPrefix, machines })
const inputOf = (command: Parameters<typeof sfn.commandCalls>[0]): unknown =>
  sfn.commandCalls(command)[0]?.args[0].input

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
