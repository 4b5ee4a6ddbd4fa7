import { setTimeout as sleep } from 'node:timers/promises'
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn'
import { type RunStatus, runStatuses, type TokenAnswer, type Workflows } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { boundedFailure, boundedJson, checkRun, checkStart } from '../workflow-rules.ts'
import { isNamed, translated } from './aws-error.ts'
import { eventsBehind, lookPauseMs } from './events-after.ts'
import { defined, parsed, toBareEvent, toRunEvent } from './execution-events.ts'
import { aliasArn, executionArn, versionOfAlias } from './state-machine-names.ts'
import type { MachineOptions, MachineVersions } from './state-machine-versions.ts'

const noRun = 'ExecutionDoesNotExist'
const mostEvents = 1000

/** A run that waits for its redrive is under way. */
const toStatus = (status: string | undefined): RunStatus => runStatuses.find((one) => one === status) ?? 'RUNNING'

/** Answers what a call that failed in an expected way is taken for. */
const unless = async <T>(call: () => Promise<T>, expected: Record<string, T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    const name = (error as Error).name
    if (name in expected) return expected[name] as T
    throw error
  }
}

const refusals: Record<string, TokenAnswer> = {
  TaskTimedOut: { ok: false, reason: 'OVER' },
  TaskDoesNotExist: { ok: false, reason: 'UNKNOWN' },
  InvalidToken: { ok: false, reason: 'UNKNOWN' },
}

export type StepFunctionsOptions = Pick<MachineOptions, 'client' | 'arnPrefix'> & { machines: MachineVersions }

/** Workflows as state machines of Step Functions, one for each of a tenant. */
export const createStepFunctionsWorkflows = ({ client, arnPrefix, machines }: StepFunctionsOptions): Workflows => {
  const answered = (what: string, call: () => Promise<unknown>): Promise<TokenAnswer> =>
    unless(async () => {
      await translated(what, call)
      return { ok: true }
    }, refusals)

  return {
    async deploy(definition) {
      if (!(await machines.isThere(definition))) await machines.deploy(definition)
    },
    async start({ version, input, ...run }) {
      checkStart({ version, input, ...run })
      const command = new StartExecutionCommand({
        stateMachineArn: aliasArn(arnPrefix, run, version),
        name: run.run,
        input: boundedJson(input, 'the input'),
      })
      try {
        await translated('the start of a run', () => client.send(command))
      } catch (error) {
        if (isNamed(error, 'ExecutionAlreadyExists')) return
        if (!isNamed(error, 'StateMachineDoesNotExist', 'ResourceNotFound')) throw error
        throw new PlatformError('INVALID', `workflow ${run.workflow} has no version ${version}; deploy it first`)
      }
    },
    async stop(run, failure) {
      checkRun(run)
      const command = new StopExecutionCommand({
        executionArn: executionArn(arnPrefix, run),
        ...boundedFailure(failure),
      })
      const ended = { [noRun]: undefined, ValidationException: undefined }
      await unless<unknown>(() => translated('the stop of a run', () => client.send(command)), ended)
    },
    async describe(run) {
      checkRun(run)
      const command = new DescribeExecutionCommand({ executionArn: executionArn(arnPrefix, run) })
      const found = await unless(() => translated('a run', () => client.send(command)), { [noRun]: undefined })
      if (found === undefined) return undefined
      const { startDate, stopDate, input, output, error, cause, stateMachineAliasArn } = found
      const status = toStatus(found.status)
      const ended = { stoppedAt: stopDate?.getTime(), error, cause }
      return {
        version: versionOfAlias(stateMachineAliasArn),
        status,
        startedAt: startDate?.getTime() ?? 0,
        input: parsed(input),
        ...(status === 'RUNNING' ? {} : defined(ended)),
        ...(status === 'SUCCEEDED' && { output: parsed(output) }),
      }
    },
    async history(run, { limit = 100, cursor, order, bare = false }) {
      checkRun(run)
      const command = new GetExecutionHistoryCommand({
        executionArn: executionArn(arnPrefix, run),
        maxResults: Math.min(limit, mostEvents),
        nextToken: cursor,
        reverseOrder: order === 'descending',
        includeExecutionData: !bare,
      })
      const read = () => translated('the history of a run', () => client.send(command))
      const found = await unless(read, { [noRun]: undefined })
      return {
        events: (found?.events ?? []).map(bare ? toBareEvent : toRunEvent),
        ...(found?.nextToken && { cursor: found.nextToken }),
      }
    },
    async eventsAfter(run, after, { ms, signal }) {
      checkRun(run)
      const until = Date.now() + ms
      const read = () => eventsBehind(client, executionArn(arnPrefix, run), after)
      for (let round = 0; ; round++) {
        const events = await unless(read, { [noRun]: [] })
        const left = until - Date.now()
        if (events.length > 0 || left <= 0 || signal?.aborted) return events
        await sleep(Math.min(lookPauseMs(round), left), undefined, { signal }).catch(() => undefined)
      }
    },
    async succeed(taskToken, output) {
      const command = new SendTaskSuccessCommand({ taskToken, output: boundedJson(output, 'the output') })
      return answered('the answer of a step', () => client.send(command))
    },
    fail: async (taskToken, failure) =>
      answered('the failure of a step', () =>
        client.send(new SendTaskFailureCommand({ taskToken, ...boundedFailure(failure) })),
      ),
    heartbeat: (taskToken) =>
      answered('the heartbeat of a step', () => client.send(new SendTaskHeartbeatCommand({ taskToken }))),
    async redrive(run) {
      checkRun(run)
      const command = new RedriveExecutionCommand({ executionArn: executionArn(arnPrefix, run) })
      const call = async (): Promise<boolean> => {
        await translated('the redrive of a run', () => client.send(command))
        return true
      }
      return unless(call, { [noRun]: false, ExecutionNotRedrivable: false })
    },
  }
}
