import { afterAll, beforeAll, describe } from 'vitest'
import { type AwsSuite, type AwsSuitesOptions, runAwsContractSuites } from '#test/contract/aws-suites.ts'
import { type Emulator, type EmulatorName, startEmulator } from './emulator.ts'

type Row = { suites: AwsSuite[]; writers?: number; cannot?: AwsSuitesOptions['cannot'] }

const fairness = 'does not let a quiet group wait behind the backlog of a noisy one'
const unfair = {
  queues: { [fairness]: 'its standard queues do not order by message group, as the fair queues of SQS do' },
}

const oneAnswer = 'takes one of two answers that come at once'
const reasons = {
  'tells a token that is over from one that never was': 'it forgets tokens that are over',
  [oneAnswer]: 'it takes every answer until its own thread has seen one',
  'redrives a run from the step that failed': 'it has no RedriveExecution',
}
const ministackWorkflows = {
  ...reasons,
  'gives lists with lists in them as they are written, part by part': 'it leaves an Output aside that is a list',
  'ends a step without heartbeats with States.HeartbeatTimeout': 'it does not look at HeartbeatSeconds',
  'chooses the first condition that holds, with what it gives and assigns': 'it leaves Assign of a rule aside',
  'ends the other branches with the first that fails': 'it waits for every branch',
  'runs branches beside each other, and gathers what they give in their order':
    'its branches share the context object: a step may be told the name of another',
  'keeps runs on their version, and versions as they were deployed first':
    'it runs the newest definition, and does not tell by which alias a run was started',
  'refuses versions that were not deployed, and definitions that are none': 'it takes any definition',
  'stops a run, and what its steps say then is over': 'it takes answers to steps of runs that were stopped',
  'ends a run that takes longer than its machine may': 'it does not look at the TimeoutSeconds of a machine',
  'tells in which state an expression failed': 'it has no event of that',
}
const localstackWorkflows = {
  'takes a token once': 'it takes a failure for a token that was answered',
  ...reasons,
  'tries again as often as its policy says, then goes where it is caught':
    'the error that a catcher sees is the one before the last',
  'ends a step without heartbeats with States.HeartbeatTimeout': 'it calls that States.Timeout',
  'fails with States.NoChoiceMatched when nothing holds': 'it calls that States.Runtime',
  'fails with States.QueryEvaluationError for an expression that cannot be evaluated':
    'it calls that States.Runtime outside of Task, Parallel and Map',
  'ends the other branches with the first that fails': 'it takes answers to steps of branches that were ended',
  'stops a run, and what its steps say then is over': 'a run that is stopped waits for its step',
  'tells what happened last first': 'it pages in one order only',
}

/** What each emulator offers, and what it cannot do. */
const rows: Partial<Record<EmulatorName, Row>> = {
  'dynamodb-local': { suites: ['table', 'feed'] },
  elasticmq: { suites: ['queues'], cannot: unfair },
  ministack: {
    suites: ['table', 'feed', 'queues', 'objects', 'bus', 'workflows'],
    cannot: { ...unfair, workflows: ministackWorkflows },
  },
  localstack: {
    suites: ['table', 'feed', 'queues', 'objects', 'bus', 'workflows'],
    cannot: { ...unfair, workflows: localstackWorkflows },
  },
}

/** An address without a name that a bucket's name could be put before: `*.localhost` does not resolve everywhere. */
const byNumber = (endpoint: string): string => endpoint.replace('//localhost:', '//127.0.0.1:')

describe.each(Object.entries(rows) as [EmulatorName, Row][])('on %s', (name, row) => {
  let emulator: Emulator
  beforeAll(async () => {
    emulator = await startEmulator(name)
  })
  afterAll(() => emulator?.stop())

  runAwsContractSuites({
    ...row,
    label: name,
    endpoints: () => {
      const endpoint = byNumber(emulator.endpoint)
      return { dynamodb: endpoint, sqs: endpoint, s3: endpoint, events: endpoint, states: endpoint }
    },
  })
})
