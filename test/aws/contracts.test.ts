import { afterAll, beforeAll, describe } from 'vitest'
import { type AwsSuite, type AwsSuitesOptions, runAwsContractSuites } from '#test/contract/aws-suites.ts'
import { type Emulator, type EmulatorName, startEmulator } from './emulator.ts'

type Row = { suites: AwsSuite[]; writers?: number; cannot?: AwsSuitesOptions['cannot'] }

const fairness = 'does not let a quiet group wait behind the backlog of a noisy one'
const unfair = {
  queues: { [fairness]: 'its standard queues do not order by message group, as the fair queues of SQS do' },
}

/** What each emulator offers, and what it cannot do. */
const rows: Partial<Record<EmulatorName, Row>> = {
  'dynamodb-local': { suites: ['table', 'feed'] },
  elasticmq: { suites: ['queues'], cannot: unfair },
  ministack: { suites: ['table', 'feed', 'queues', 'objects', 'bus'], cannot: unfair },
  localstack: { suites: ['table', 'feed', 'queues', 'objects', 'bus'], cannot: unfair },
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
      return { dynamodb: endpoint, sqs: endpoint, s3: endpoint, events: endpoint }
    },
  })
})
