import type { Platform } from '../../platform/platform.ts'
import { taskKey } from '../keys.ts'
import { processMemory } from '../process-memory.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { amountNames, type Share } from './pool.ts'
import { changeShares, type Planner, sharesOf } from './pool-store.ts'
import { finishShares, settlePool } from './settle.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** Long enough for whoever opened a share to have stored its task. */
const settledMs = 30_000
/** A pool with more shares than these is looked through at most so often. */
const many = { shares: 200, pauseMs: 1000 }
const audits = processMemory<number>()

/** Finds shares whose task has ended, or was never stored, and settles them: before anything is refused for good. */
export const auditPool = async (ports: Ports, tenant: string, pool: string): Promise<void> => {
  const known = audits(ports.main)
  const id = `${tenant}#${pool}`
  if (ports.clock.now() - (known.get(id) ?? Number.NEGATIVE_INFINITY) < many.pauseMs) return
  let count = 0
  let cursor: string | undefined
  do {
    const page = await sharesOf(ports, tenant, pool, cursor)
    const open = page.shares.filter(({ share }) => share.open)
    const heads = await ports.main.getMany<Task>(open.map(({ task }) => taskKey(tenant, task)))
    for (const [at, { task, share }] of open.entries())
      await settleShare(ports, tenant, { pool, task, share, head: heads[at]?.value })
    count += page.shares.length
    cursor = page.cursor
  } while (cursor !== undefined)
  if (count > many.shares) known.set(id, ports.clock.now())
}

type Open = { pool: string; task: string; share: Share; head: Task | undefined }

const settleShare = async (ports: Ports, tenant: string, { pool, task, share, head }: Open): Promise<void> => {
  if (head === undefined) {
    if (ports.clock.now() - share.since < settledMs) return
    await changeShares(ports, { tenant, pool, task }, emptying)
    await settlePool(ports, tenant, pool)
  } else if (isFinished(head)) {
    if (head.pool === task && task !== pool) await auditPool(ports, tenant, task)
    await finishShares(ports, head)
  }
}

/** Nobody has it: the task was never stored. */
const emptying: Planner = (_chain, shares) => {
  const nothing = Object.fromEntries(amountNames.map((name) => [name, 0]))
  return new Map([...shares.keys()].map((id) => [id, { held: nothing, close: true }]))
}
