import type { Stored } from '../../platform/platform.ts'
import { loadBody } from '../bodies/body.ts'
import { isObjectRef, type ObjectRef } from '../objects/object-ref.ts'
import { treeLimits } from '../tasks/lineage.ts'
import { isFinished } from '../tasks/task.ts'
import { findTask } from '../tasks/task-store.ts'
import { type FanOut, stop } from './fan-out.ts'
import { changeFanOut, fanOutPk } from './fan-out-store.ts'
import { resultOf } from './join-results.ts'
import { failParent } from './lead-parent.ts'
import { putShards } from './shards.ts'
import { partFailure, submitPart } from './submit-part.ts'
import type { FanOutPorts, FanOutTools } from './submit-rows.ts'

/** Lets a task make the list of shards, and takes that over once it is there. `undefined`: not yet. */
export const takeSplit = async (
  ports: FanOutPorts,
  tools: FanOutTools,
  start: Stored<FanOut>,
): Promise<Stored<FanOut> | undefined> => {
  const fan = start.value
  if (fan.source.kind !== 'split') return start
  if (fan.waitsFor === undefined) {
    const body = await loadBody(ports, { tenant: fan.tenant, pk: fanOutPk(fan.tenant, fan.id), body: fan.source.task })
    const submitted = await submitPart(ports, tools, fan, { part: 'split', body })
    if ('failure' in submitted) return giveUp(ports, start, submitted.failure)
    const waitsFor = { part: 'split' as const, task: submitted.task }
    return changeFanOut(ports, start, (current) => ({ ...current, waitsFor }))
  }
  const task = (await findTask(ports, fan.tenant, fan.waitsFor.task))?.value
  if (task && !isFinished(task)) return undefined
  if (task?.status !== 'SUCCEEDED') return giveUp(ports, start, partFailure('split', task))
  const answered = await listOf(ports, fan.tenant, await resultOf(ports, task))
  if ('problem' in answered) return giveUp(ports, start, { code: 'AGENT_ERROR', message: notShards(task.id, answered) })
  const { list } = answered
  const source = await putShards(ports, { tenant: fan.tenant, id: fan.id, list })
  return changeFanOut(ports, start, (current) => ({ ...current, source, total: list.length, waitsFor: undefined }))
}

type Answered = { list: unknown[] } | { problem: string }

/** A list of shards is read whole. */
const mostBytes = 16 * 1024 * 1024

/** The list that a task answered or put into an object, or what there is instead. */
const listOf = async (ports: FanOutPorts, tenant: string, value: unknown): Promise<Answered> => {
  const content = isObjectRef(value) ? await contentOf(ports, tenant, value) : { value }
  if ('problem' in content) return content
  const list = content.value
  if (Array.isArray(list) && list.length <= treeLimits.children) return { list }
  return { problem: kindOf(list) }
}

const kindOf = (value: unknown): string => {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (value === null) return 'null'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

const contentOf = async (
  { objects }: FanOutPorts,
  tenant: string,
  { $ref: id }: ObjectRef,
): Promise<{ value: unknown } | { problem: string }> => {
  const stat = await objects.stat({ tenant, id })
  if (stat && stat.size > mostBytes) return { problem: `object ${id} of ${stat.size} bytes, more than ${mostBytes}` }
  const found = await objects.get({ tenant, id })
  if (found === undefined) return { problem: `object ${id}, which has no content` }
  const text = await new Response(found.body).text()
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return { problem: `object ${id}, which is not JSON (${error instanceof Error ? error.message : 'unreadable'})` }
  }
}

const notShards = (task: string, { problem }: { problem: string }): string =>
  `task ${task}, which makes its shards, answered ${problem}; expected a list of at most ${treeLimits.children}`

const giveUp = async (
  ports: FanOutPorts,
  start: Stored<FanOut>,
  failure: { code: string; message: string },
): Promise<Stored<FanOut>> => {
  await failParent(ports, start.value, failure)
  return changeFanOut(ports, start, (fan) =>
    stop({ ...fan, waitsFor: undefined }, { reason: 'FAILURES', message: failure.message }),
  )
}
