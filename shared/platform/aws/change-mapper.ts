import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Change } from '../platform.ts'
import { type Attributes, toStored } from './dynamodb-item.ts'

/** One record of a DynamoDB stream, as Lambda and the streams API give it. */
export type StreamRecord = {
  eventID?: string
  userIdentity?: { principalId?: string; PrincipalId?: string }
  dynamodb?: {
    Keys?: Record<string, AttributeValue>
    SequenceNumber?: string
    OldImage?: Record<string, AttributeValue>
    NewImage?: Record<string, AttributeValue>
  }
}

/** DynamoDB itself deletes what expired; readers have not seen it since then, so it is no news. */
const isExpiry = ({ userIdentity }: StreamRecord): boolean =>
  (userIdentity?.principalId ?? userIdentity?.PrincipalId) === 'dynamodb.amazonaws.com'

/** The change a record tells of; `undefined` for a write that changed nothing, and for an expiry. */
export const toChange = (record: StreamRecord): Change | undefined => {
  const { eventID = '', dynamodb = {} } = record
  const [before, after] = [dynamodb.OldImage, dynamodb.NewImage].map((image) => image && toStored(image as Attributes))
  if (before?.rev === after?.rev || isExpiry(record)) return undefined
  const key = { pk: dynamodb.Keys?.pk?.S ?? '', sk: dynamodb.Keys?.sk?.S ?? '' }
  return {
    id: eventID,
    key,
    type: after?.type ?? before?.type ?? '',
    ...(before && { before }),
    ...(after && { after }),
  }
}

type BatchAnswer = { batchItemFailures: { itemIdentifier: string }[] }

/**
 * Hands the changes of a Lambda stream event to `project` and answers where Lambda must go on: at the earliest
 * record that failed. Records after it come again, which projections allow.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export const projectRecords = async (
  records: StreamRecord[],
  project: (changes: Change[]) => Promise<string[]>,
): Promise<BatchAnswer> => {
  const changes = records.map(toChange).filter((change) => change !== undefined)
  const failed = new Set(changes.length === 0 ? [] : await project(changes))
  if (failed.size === 0) return { batchItemFailures: [] }
  const first = records.find(({ eventID }) => eventID !== undefined && failed.has(eventID)) ?? records[0]
  return { batchItemFailures: [{ itemIdentifier: first?.dynamodb?.SequenceNumber ?? '' }] }
}
