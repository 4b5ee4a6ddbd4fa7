import {
  type CancellationReason,
  ConditionalCheckFailedException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb'
import { toAttributes } from '#shared/platform/aws/dynamodb-item.ts'
import type { Item, Rev } from '#shared/platform/platform.ts'

const $metadata = { httpStatusCode: 400 }

/** A failure as the SDK throws it. */
export const sdkError = (name: string, { status = 400, message = name } = {}): Error =>
  Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode: status } })

/** The condition of a write did not hold; `stored` is what is there. */
export const conditionFailed = (stored?: { item: Item; rev: Rev }): ConditionalCheckFailedException =>
  new ConditionalCheckFailedException({
    message: 'The conditional request failed',
    $metadata,
    ...(stored && { Item: toAttributes(stored.item, stored.rev) }),
  })

export const none: CancellationReason = { Code: 'None' }

/** The reason of one position of a transaction. */
export const failedReason = (stored?: { item: Item; rev: Rev }): CancellationReason => ({
  Code: 'ConditionalCheckFailed',
  ...(stored && { Item: toAttributes(stored.item, stored.rev) }),
})

export const cancelled = (...CancellationReasons: CancellationReason[]): TransactionCanceledException =>
  new TransactionCanceledException({ message: 'Transaction cancelled', $metadata, CancellationReasons })
