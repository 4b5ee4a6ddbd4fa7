import { GetExecutionHistoryCommand, type SFNClient } from '@aws-sdk/client-sfn'
import type { RunEvent } from '../platform.ts'
import { translated } from './aws-error.ts'
import { toBareEvent } from './execution-events.ts'

const pageSize = 1000

/** The events of an execution behind one, read from its end: what is long past is not read again. */
export const eventsBehind = async (
  client: Pick<SFNClient, 'send'>,
  executionArn: string,
  after: number,
): Promise<RunEvent[]> => {
  const events: RunEvent[] = []
  let nextToken: string | undefined
  do {
    const command = new GetExecutionHistoryCommand({
      executionArn,
      maxResults: pageSize,
      reverseOrder: true,
      includeExecutionData: false,
      nextToken,
    })
    const page = await translated('the history of a run', () => client.send(command))
    const fresh = (page.events ?? []).map(toBareEvent).filter(({ id }) => id > after)
    events.push(...fresh)
    nextToken = fresh.length < (page.events ?? []).length ? undefined : page.nextToken
  } while (nextToken !== undefined)
  return events.reverse()
}

/** Between two looks, for which there is no notice: soon at first. */
export const lookPauseMs = (round: number): number => Math.min(250 * 2 ** round, 4000)
