import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { Add } from '../platform.ts'
import { type Addition, additionOf, fits, newCounter } from './dynamodb-addition.ts'
import { type Attributes, liveItem } from './dynamodb-item.ts'
import { sendWrite, type WriteContext, writeOne } from './dynamodb-write.ts'

/**
 * Adds under a rev of its own: when the SDK repeats a call whose answer was lost, that rev is stored already, and the
 * counter is not moved twice.
 */
export const addTo = async (context: WriteContext, add: Add): Promise<number | undefined> => {
  const { client, tableName: TableName, clock } = context
  const wanted = { rev: context.mint(), now: clock.now() }
  const command = new UpdateItemCommand({ TableName, ...additionOf(add, wanted), ReturnValues: 'UPDATED_NEW' })
  try {
    return Number((await sendWrite(context, 'a count', () => client.send(command))).Attributes?.n?.N)
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error
    return refused(context, add, wanted, error.Item)
  }
}

/** Why a counter was not moved: it was already, it had expired and begins anew, or a bound is in the way. */
const refused = async (
  context: WriteContext,
  add: Add,
  { rev, now }: Addition,
  found: Attributes | undefined,
): Promise<number | undefined> => {
  const { key, by, bound } = add
  if (found?.rev?.S === rev) return Number(found.n?.N)
  if (found === undefined || liveItem(found, now) !== undefined || !fits(by, bound)) return undefined
  const outcome = await writeOne(context, newCounter(key, by))
  return outcome.ok ? by : addTo(context, add)
}
