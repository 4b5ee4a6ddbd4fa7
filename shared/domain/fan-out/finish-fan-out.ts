import type { Stored } from '../../platform/platform.ts'
import { loadBody } from '../bodies/body.ts'
import { systemStamp } from '../caller.ts'
import { isFinished } from '../tasks/task.ts'
import { findTask } from '../tasks/task-store.ts'
import type { Counts } from './bitmap.ts'
import { cancellerOf } from './end-rows.ts'
import { batchOutcome, type FanOut, type FanOutState, isOver, lostOf, neededOf, reachedQuorum } from './fan-out.ts'
import { changeFanOut, fanOutPk } from './fan-out-store.ts'
import { planJoinInput, planResultOf, planResults } from './join-results.ts'
import { completeParent, failParent } from './lead-parent.ts'
import { dropFragments, firstFailures, type ReportLine, writeReport } from './report.ts'
import { partFailure, submitPart } from './submit-part.ts'
import type { FanOutPorts, FanOutTools } from './submit-rows.ts'

/** Every row is over: ends the batch or the distributed task. `undefined`: the task that joins has to end first. */
export const finish = async (
  ports: FanOutPorts,
  tools: FanOutTools,
  start: Stored<FanOut>,
  counts: Counts,
): Promise<Stored<FanOut> | undefined> => {
  const fan = start.value
  if (fan.task === undefined) return end(ports, start, batchOutcome(fan, counts))
  if (fan.stopping?.reason === 'PARENT') return end(ports, start, 'CANCELLED')
  if (fan.source.kind === 'split') return end(ports, start, 'FAILED')
  if (!reachedQuorum(fan, counts)) {
    await failParent(ports, fan, await describeFailure(ports, fan, counts))
    return end(ports, start, 'FAILED')
  }
  return joinShards(ports, tools, start, counts)
}

const end = async (ports: FanOutPorts, start: Stored<FanOut>, state: FanOutState): Promise<Stored<FanOut>> => {
  const report = await writeReport(ports, start.value)
  const about = { state, ...(report !== undefined && { report }), finishedAt: ports.clock.now() }
  const ended = await changeFanOut(ports, start, (fan) =>
    isOver(fan) ? fan : { ...fan, ...about, waitsFor: undefined, dueAt: undefined, stamp: systemStamp('batch.end') },
  )
  await dropFragments(ports, ended.value)
  return ended
}

const named = 5

/** Not those that were cancelled, or never submitted, because enough others had failed. */
const failedByItself = (fan: FanOut, { task, code, message }: ReportLine): boolean =>
  code !== 'CANCELLED' || (task !== undefined && !message.startsWith(`cancelled by ${cancellerOf(fan)}`))

/** Which shards failed, and with which code: theirs where it is the same for all that are named. */
const describeFailure = async (ports: FanOutPorts, fan: FanOut, counts: Counts) => {
  const lines = await firstFailures(ports, fan, named, (line) => failedByItself(fan, line))
  const failures = lines.filter(({ code }) => code !== 'CANCELLED')
  const total = fan.total ?? fan.position.row
  const each = (failures.length > 0 ? failures : lines).map(
    ({ line, code, message }) => `shard ${line - 1}: ${code}: ${message.slice(0, 200)}`,
  )
  const codes = new Set(failures.map(({ code }) => code))
  return {
    code: codes.size === 1 ? ([...codes][0] ?? 'AGENT_ERROR') : 'AGENT_ERROR',
    message: `${lostOf(fan, counts)} of ${total} shards did not succeed, ${neededOf(fan.policy.quorum, total)} had to; ${each.join('; ')}`,
  }
}

const joinShards = async (
  ports: FanOutPorts,
  tools: FanOutTools,
  start: Stored<FanOut>,
  counts: Counts,
): Promise<Stored<FanOut> | undefined> => {
  const fan = start.value
  const state = counts.succeeded === fan.position.row ? 'SUCCEEDED' : 'PARTIAL'
  if (fan.join?.kind !== 'task' || fan.position.row === 0) {
    await completeParent(ports, fan, await planResults(ports, fan))
    return end(ports, start, state)
  }
  if (fan.waitsFor?.part !== 'join') return startJoin(ports, tools, start)
  const joined = (await findTask(ports, fan.tenant, fan.waitsFor.task))?.value
  if (joined && !isFinished(joined)) return undefined
  if (joined?.status !== 'SUCCEEDED') {
    await failParent(ports, fan, partFailure('join', joined))
    return end(ports, start, 'FAILED')
  }
  await completeParent(ports, fan, await planResultOf(ports, fan, joined))
  return end(ports, start, state)
}

const startJoin = async (
  ports: FanOutPorts,
  tools: FanOutTools,
  start: Stored<FanOut>,
): Promise<Stored<FanOut> | undefined> => {
  const fan = start.value
  if (fan.join?.kind !== 'task') return undefined
  const template = await loadBody(ports, {
    tenant: fan.tenant,
    pk: fanOutPk(fan.tenant, fan.id),
    body: fan.join.task,
  })
  const input = await planJoinInput(ports, fan, await firstFailures(ports, fan, 1000))
  const submitted = await submitPart(ports, tools, fan, { part: 'join', body: { ...(template as object), input } })
  if ('failure' in submitted) {
    await failParent(ports, fan, submitted.failure)
    return end(ports, start, 'FAILED')
  }
  const waitsFor = { part: 'join' as const, task: submitted.task }
  return changeFanOut(ports, start, (current) => ({ ...current, waitsFor }))
}
