import type { Platform } from '../../platform/platform.ts'
import { taskKey } from '../keys.ts'
import { processMemory } from '../process-memory.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { amountNames, type Share } from './pool.ts'
import { changeShares, openSharesOf, type Planner } from './pool-store.ts'
import { finishShares, settlePool } from './settle.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** Long enough for whoever opened a share to have stored its task. */
const settledMs = 30_000
/** A pool with more open shares than these is looked through at growing distances while nothing is found. */
const many = 200
const pauses = { firstMs: 1000, longestMs: 30_000 }
const audits = processMemory<{ at: number; pauseMs: number }>()

/** Finds shares whose task has ended, or was never stored, and settles them: before anything is refused for good. */
export const auditPool = async (ports: Ports, tenant: string, pool: string): Promise<void> => {
  const known = audits(ports.main)
  const id = `${tenant}#${pool}`
  const now = ports.clock.now()
  const last = known.get(id)
  if (last && now - last.at < last.pauseMs) return
  if (last) known.set(id, { ...last, at: now })
  const { open, settled } = await lookThrough(ports, tenant, pool)
  const pauseMs = settled > 0 || last === undefined ? pauses.firstMs : Math.min(2 * last.pauseMs, pauses.longestMs)
  if (open > many) known.set(id, { at: now, pauseMs })
  else known.delete(id)
}

const lookThrough = async (ports: Ports, tenant: string, pool: string): Promise<{ open: number; settled: number }> => {
  const seen = { open: 0, settled: 0 }
  let cursor: string | undefined
  do {
    const page = await openSharesOf(ports, tenant, pool, cursor)
    const heads = await ports.main.getMany<Task>(page.shares.map(({ task }) => taskKey(tenant, task)))
    for (const [at, { task, share }] of page.shares.entries()) {
      seen.open++
      if (await settleShare(ports, tenant, { pool, task, share, head: heads[at]?.value })) seen.settled++
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return seen
}

type Open = { pool: string; task: string; share: Share; head: Task | undefined }

const settleShare = async (ports: Ports, tenant: string, { pool, task, share, head }: Open): Promise<boolean> => {
  if (head === undefined) {
    if (ports.clock.now() - share.since < settledMs) return false
    await changeShares(ports, { tenant, pool, task, unstored: true }, dropping)
    await settlePool(ports, tenant, pool)
  } else if (isFinished(head)) {
    if (head.pool === task && task !== pool) await auditPool(ports, tenant, task)
    await finishShares(ports, head)
  } else return false
  return true
}

/** Nobody has it: the task was never stored, and whoever still stores it finds that its share is gone. */
const dropping: Planner = (_chain, shares) => {
  const nothing = Object.fromEntries(amountNames.map((name) => [name, 0]))
  return new Map([...shares.keys()].map((id) => [id, { held: nothing, close: true, drop: true }]))
}
