import type { Platform } from '../../platform/platform.ts'
import { doneOf, openRows } from '../fan-out/bitmap.ts'
import { type FanOut, see, submittedOf } from '../fan-out/fan-out.ts'
import { findFanOut, loadPages, rowTaskId } from '../fan-out/fan-out-store.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { taskKey } from '../tasks/task-store.ts'
import type { Why } from './cause.ts'

type Ports = Pick<Platform, 'main'>
/** Why one of its parts has not ended. */
type ExplainPart = (id: string) => Promise<Why>

const shown = 10
const looked = 100
const does = { split: 'makes its shards', join: 'joins its shards' } as const

/**
 * Why a distributed task has not ended: whatever keeps the task that makes or joins its shards, or else the first shard
 * that is not done.
 */
export const explainShards = async (ports: Ports, task: Task, explainPart: ExplainPart): Promise<Why> => {
  const fan = task.fanOut && (await findFanOut(ports, task.tenant, task.fanOut.id))?.value
  if (fan === undefined || task.status !== 'RUNNING') return underWay('it is about to be divided into its shards', {})
  if (fan.waitsFor) return ofPart(fan.waitsFor, await explainPart(fan.waitsFor.task))
  const { rows, shards } = await openShards(ports, fan)
  const first = await firstOpen(ports, fan, rows)
  if (first === undefined)
    return underWay(fan.position.ended ? 'its shards are being counted and joined' : 'its shards are being submitted', {
      shards,
    })
  const why = await explainPart(first.task)
  return {
    ...why,
    message: `${shards.total - shards.done} of ${shards.total} shards are not done; shard ${first.shard}, ${first.task}: ${why.message}`,
    evidence: { shards, shard: first.shard, task: first.task, ...why.evidence },
  }
}

const underWay = (message: string, evidence: Why['evidence']): Why => ({
  code: 'DISPATCHING',
  message,
  evidence,
  wouldChange: 'time: the platform is at it, and the sweep asks again within a minute',
})

const ofPart = ({ part, task }: NonNullable<FanOut['waitsFor']>, why: Why): Why => ({
  ...why,
  message: `${task}, which ${does[part]}, has not ended: ${why.message}`,
  evidence: { part, task, ...why.evidence },
})

/** Shards that were submitted and are not known to have ended, and how it stands with all. */
const openShards = async (ports: Ports, fan: FanOut) => {
  const pages = await loadPages(ports, fan)
  const { counts } = see(fan, pages)
  const rows = fan.open.flatMap((page, at) => openRows(pages[at], page, fan.position.row))
  const submitted = submittedOf(fan, counts)
  const total = fan.total ?? submitted
  return { rows, shards: { total, submitted, done: doneOf(counts), ...counts, open: rows.slice(0, shown) } }
}

const firstOpen = async ({ main }: Ports, fan: FanOut, rows: number[]) => {
  const some = rows.slice(0, looked).map((shard) => ({ shard, task: rowTaskId(fan, shard) }))
  if (some.length === 0) return undefined
  const heads = await main.getMany<Task>(some.map(({ task }) => taskKey(fan.tenant, task)))
  return some.find((_, at) => heads[at] !== undefined && !isFinished(heads[at].value))
}
