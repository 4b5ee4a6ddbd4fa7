import type { ScheduleResponse } from '#shared/contracts/schedules.ts'
import type { MatchResponse, SubscriptionResponse } from '#shared/contracts/topics.ts'
import type { RunResponse } from '#shared/contracts/workflows.ts'
import type { Client } from '../../../client/client.ts'
import { listAll } from '../../../client/list-all.ts'
import type { FinalCauses } from './history.ts'

type Told = FinalCauses['told']

/** A match that is still to arrive becomes the task whose key it is. */
const readMatches = async (
  client: Client,
  { id }: SubscriptionResponse,
  matchTaskOf: (match: string) => string,
): Promise<{ task: string; told: Told }[]> => {
  const matches = await listAll<MatchResponse>(client, `/subscriptions/${id}/matches`)
  return matches.map(({ id: match, state, became }) => {
    const task = became ?? matchTaskOf(match)
    return { task, told: state === 'DELIVERED' ? [{ task, by: `${match} of ${id}` }] : [] }
  })
}

const toldBySchedule = ({ id, last }: ScheduleResponse): Told =>
  last?.outcome === 'STARTED' && last.task !== undefined ? [{ task: last.task, by: id }] : []

const toldByRun = ({ id, steps = [] }: RunResponse): Told =>
  steps.flatMap(({ name, state, task }) =>
    state === 'SUCCEEDED' && task !== undefined ? [{ task, by: `step ${name} of ${id}` }] : [],
  )

/** What a server has now of what makes tasks by itself; `matchTaskOf` is the id of the task that a match becomes. */
export const readCauses = async (client: Client, matchTaskOf: (match: string) => string): Promise<FinalCauses> => {
  const subscriptions = await listAll<SubscriptionResponse>(client, '/subscriptions')
  const toTasks = subscriptions.filter(({ target }) => target.capability !== undefined)
  const matches = (await Promise.all(toTasks.map((one) => readMatches(client, one, matchTaskOf)))).flat()
  const schedules = await listAll<ScheduleResponse>(client, '/schedules')
  const listed = await listAll<RunResponse>(client, '/runs')
  const runs: RunResponse[] = []
  for (const { id } of listed) runs.push(await client.get<RunResponse>(`/runs/${id}`))
  return {
    told: [...matches.flatMap(({ told }) => told), ...schedules.flatMap(toldBySchedule), ...runs.flatMap(toldByRun)],
    matched: new Set(matches.map(({ task }) => task)),
    starts: new Map(schedules.map(({ id, counts }) => [id, counts.started])),
    runs: new Set(listed.map(({ id }) => id)),
  }
}
