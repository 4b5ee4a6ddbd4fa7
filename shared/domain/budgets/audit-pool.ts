import type { Platform } from '../../platform/platform.ts'
import { compete, isContended } from '../contention.ts'
import { taskKey } from '../keys.ts'
import { processMemory } from '../process-memory.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { amountNames, type Lack, leftOf, type Share } from './pool.ts'
import { changeShares, findPool, type Link, openSharesOf, type Planner, type PlanOutcome } from './pool-store.ts'
import { finishShares, settledMs, settlePool, takeLook } from './settle.ts'
import { isAhead, takeBackAhead } from './trim-shares.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** A pool with more open shares than these is looked through at growing distances while nothing is found. */
const many = 200
const pauses = { firstMs: 1000, longestMs: 30_000 }
const audits = processMemory<{ at: number; pauseMs: number }>()

type Asked = Pick<PlanOutcome, 'chain' | 'short'>

/**
 * Asks for `task` until nothing lacks, or it lacks before and after a look through the pools while no other hand changed
 * these: what one look gives back, somebody else may have taken ahead again.
 */
export const findEnough = async <A extends Asked>(
  ports: Ports,
  { tenant, task }: { tenant: string; task: string },
  ask: () => Promise<A>,
): Promise<A> => {
  let seen: string | undefined
  return compete(ports, `what the budget of task ${task} is drawn on by`, async () => {
    const asked = await ask()
    const now = revsOf(asked)
    if (asked.short.length === 0 || now === seen) return { done: asked }
    seen = now
    const looks = await Promise.all(
      asked.chain.map((link) => auditPool(ports, tenant, link.id, { lacks: lacksOf(asked, link), but: task })),
    )
    return looks.includes(false) ? { done: await ask() } : undefined
  })
}

const lacksOf = ({ short }: Asked, { stored }: Link): Lack[] => short.filter(({ pool }) => pool === stored.value)

const revsOf = (asked: Asked): string =>
  asked.chain.flatMap((link) => (lacksOf(asked, link).length > 0 ? [link.stored.rev] : [])).join()

/**
 * Finds shares whose task has ended, or was never stored, and settles them: before anything is refused for good. What
 * tasks took ahead goes back until there is enough of what lacks, but nothing of the task that it lacks. `false`: it was
 * looked through just before.
 */
export const auditPool = async (
  ports: Ports,
  tenant: string,
  pool: string,
  { lacks = [], but }: { lacks?: Lack[]; but?: string } = {},
): Promise<boolean> => {
  const known = audits(ports.main)
  const id = [tenant, pool, ...lacks.map(({ name }) => name)].join('#') // who looked for another amount left its steps alone
  const now = ports.clock.now()
  const last = known.get(id)
  if (last && now - last.at < last.pauseMs) return false
  if (last) known.set(id, { ...last, at: now })
  const { open, settled, trimmed } = await lookThrough(ports, { tenant, pool, but }, lacks)
  const pauseMs = trimmed > 0 ? 0 : settled > 0 || !last ? pauses.firstMs : longer(last.pauseMs)
  if (open > many) known.set(id, { at: now, pauseMs })
  else known.delete(id)
  return true
}

const longer = (pauseMs: number): number => Math.min(Math.max(2 * pauseMs, pauses.firstMs), pauses.longestMs)

/** What is left open in the pool of a task that has ended, when it is time to look for that. */
export const attendPool = async (ports: Ports, { tenant, id, pool }: Task): Promise<void> => {
  if (pool === id && (await takeLook(ports, tenant, id))) await auditPool(ports, tenant, id)
}

type Seen = { open: number; settled: number; trimmed: number }

type Sought = { tenant: string; pool: string; but: string | undefined }

const lookThrough = async (ports: Ports, { tenant, pool, but }: Sought, lacks: Lack[]): Promise<Seen> => {
  const seen = { open: 0, settled: 0, trimmed: 0 }
  let cursor: string | undefined
  do {
    const page = await openSharesOf(ports, { tenant, pool }, { cursor })
    const heads = await ports.main.getMany<Task>(page.shares.map(({ task }) => taskKey(tenant, task)))
    for (const [at, { task, share }] of page.shares.entries()) {
      seen.open++
      const open = { pool, task, share, head: heads[at]?.value }
      if (await settleShare(ports, tenant, open)) seen.settled++
      else if (lacks.length > 0 && task !== but && (await trimOne(ports, open))) seen.trimmed++
      else continue
      if (lacks.length > 0 && (await isEnough(ports, tenant, pool, lacks))) return seen
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return seen
}

type Open = { pool: string; task: string; share: Share; head: Task | undefined }

const settleShare = async (ports: Ports, tenant: string, { pool, task, share, head }: Open): Promise<boolean> => {
  if (head === undefined) {
    if (ports.clock.now() - share.since < settledMs) return false
    await changeShares(ports, { tenant, pool, task, head: 'absent' }, dropping)
    await settlePool(ports, tenant, pool)
  } else if (isFinished(head)) {
    if (head.pool === task && task !== pool) await auditPool(ports, tenant, task)
    await finishShares(ports, head)
  } else return false
  return true
}

/** One that reports all the time may be in the way of it: then what it took ahead stays. */
const trimOne = async (ports: Ports, { pool, share, head }: Open): Promise<boolean> => {
  if (head === undefined || !isAhead(pool, share, head)) return false
  try {
    await takeBackAhead(ports, head)
    return true
  } catch (error) {
    if (isContended(error)) return false
    throw error
  }
}

const isEnough = async (ports: Ports, tenant: string, id: string, lacks: Lack[]): Promise<boolean> => {
  const pool = (await findPool(ports, tenant, id))?.value
  return pool !== undefined && lacks.every(({ name, lacking }) => (leftOf(pool, name) ?? lacking) >= lacking)
}

/** Nobody has it: the task was never stored, and whoever still stores it finds that its share is gone. */
const dropping: Planner = (_chain, shares) => {
  const nothing = Object.fromEntries(amountNames.map((name) => [name, 0]))
  return new Map([...shares.keys()].map((id) => [id, { held: nothing, close: true, drop: true }]))
}
