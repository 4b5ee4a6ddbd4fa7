import type { Platform, Stored } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { newRev } from '../ids.ts'
import { isFinished } from '../tasks/task.ts'
import { findTask } from '../tasks/task-store.ts'
import { countPage } from './bitmap.ts'
import { cancelRows, lookAtRows } from './end-rows.ts'
import {
  closePage,
  type FanOut,
  isOver,
  lostOf,
  type Next,
  nextOf,
  percentOf,
  type Seen,
  see,
  stop,
} from './fan-out.ts'
import { changeFanOut, findFanOut, loadPages } from './fan-out-store.ts'
import { finish } from './finish-fan-out.ts'
import { keepPass, leavePass, takePass } from './keep-pass.ts'
import { parentCalls, startParent, tellParent } from './lead-parent.ts'
import { writeFragment } from './report.ts'
import { takeSplit } from './split.ts'
import { type FanOutPorts, type FanOutTools, type PassTools, submitRows } from './submit-rows.ts'

/** How long one pass works before it lets others. */
const passMs = 20_000

/**
 * Does what a batch or a distributed task needs next until there is nothing to do but wait: submit rows while there is
 * room, close pages, end it. One pass at a time; one that breaks off is repeated, and finds what it did.
 */
export const attendFanOut = async (
  ports: FanOutPorts,
  tools: FanOutTools,
  tenant: string,
  id: string,
): Promise<void> => {
  const start = await findFanOut(ports, tenant, id)
  if (start === undefined || isOver(start.value)) return
  const isDue = (start.value.dueAt ?? 0) <= ports.clock.now()
  if (!isDue && !(await needsPass(ports, start.value))) return
  const by = newRev(ports)
  const taken = await takePass(ports, start, by)
  if (taken === undefined) return
  const pass = keepPass(ports, taken.value, by)
  try {
    await work(ports, { ...tools, isMine: pass.isMine }, taken)
  } finally {
    pass.stop()
    await leavePass(ports, taken.value, by)
  }
  await wakeFanOut(ports, tenant, id)
}

/** Asks for a pass if there is something to do, and nobody at it who would see that at its end. */
export const wakeFanOut = async (
  ports: Pick<Platform, 'main' | 'queues' | 'clock' | 'telemetry'>,
  tenant: string,
  id: string,
): Promise<void> => {
  const fan = (await findFanOut(ports, tenant, id))?.value
  const now = ports.clock.now()
  if (fan === undefined || isOver(fan) || (fan.pass && fan.pass.until > now)) return
  if (await needsPass(ports, fan)) await remind(ports, { tenant, id, at: now })
}

const needsPass = async (ports: Pick<Platform, 'main' | 'clock'>, fan: FanOut): Promise<boolean> => {
  const parent = fan.task === undefined ? undefined : (await findTask(ports, fan.tenant, fan.task))?.value
  if (fan.task !== undefined && parentCalls(fan, parent)) return true
  if (parent?.status === 'SCHEDULED') return false
  if (fan.waitsFor && !fan.stopping) {
    const part = await findTask(ports, fan.tenant, fan.waitsFor.task)
    return part === undefined || isFinished(part.value)
  }
  const seen = see(fan, await loadPages(ports, fan))
  return nextOf(fan, seen, ports.clock.now()).do !== 'wait' || hasMoved(fan, seen)
}

const hasMoved = (fan: FanOut, { counts }: Seen): boolean =>
  fan.task !== undefined && percentOf(fan, counts) > (fan.shown ?? 0)

const work = async (ports: FanOutPorts, tools: PassTools, taken: Stored<FanOut>): Promise<void> => {
  const until = ports.clock.now() + passMs
  const by = taken.value.pass?.by
  let current: Stored<FanOut> | undefined = taken
  while (current && !isOver(current.value) && current.value.pass?.by === by && ports.clock.now() < until)
    current = await step(ports, tools, current)
}

/** One thing that is to be done; `undefined`: there is nothing but to wait. */
const step = async (
  ports: FanOutPorts,
  tools: PassTools,
  start: Stored<FanOut>,
): Promise<Stored<FanOut> | undefined> => {
  const fan = start.value
  if (fan.task !== undefined && fan.stopping === undefined) {
    const parent = await startParent(ports, fan)
    if (parent === undefined || isFinished(parent)) return stopWith(ports, start, parent?.status ?? 'gone')
    if (parent.status !== 'RUNNING') return undefined
  }
  if (fan.source.kind === 'split' && !fan.stopping) return takeSplit(ports, tools, start)
  const seen = see(fan, await loadPages(ports, fan))
  await tell(ports, fan, seen)
  const next = nextOf(fan, seen, ports.clock.now())
  return next.do === 'wait' ? showMoved(ports, start, seen) : act(ports, tools, start, { next, seen })
}

const stopWith = (ports: FanOutPorts, start: Stored<FanOut>, status: string): Promise<Stored<FanOut>> =>
  changeFanOut(ports, start, (fan) =>
    stop({ ...fan, waitsFor: undefined }, { reason: 'PARENT', message: `its task is ${status}` }),
  )

const act = async (
  ports: FanOutPorts,
  tools: PassTools,
  start: Stored<FanOut>,
  { next, seen }: { next: Exclude<Next, { do: 'wait' }>; seen: Seen },
): Promise<Stored<FanOut> | undefined> => {
  if (next.do === 'close') return close(ports, start, next.page)
  if (next.do === 'stop')
    return changeFanOut(ports, start, (fan) =>
      stop(fan, { reason: 'FAILURES', message: next.message, cancelled: seen.counts.cancelled }),
    )
  if (next.do === 'cancel') return cancelRows(ports, start)
  if (next.do === 'submit') return submitRows(ports, tools, start, next.count)
  if (next.do === 'look') return lookAtRows(ports, start)
  return finish(ports, tools, start, seen.counts)
}

const close = async (ports: FanOutPorts, start: Stored<FanOut>, page: number): Promise<Stored<FanOut>> => {
  const fan = start.value
  const bits = (await loadPages(ports, { ...fan, open: [page] }))[0]
  await writeFragment(ports, fan, { page, bits })
  return changeFanOut(ports, start, (current) => ({
    ...closePage(current, page, countPage(bits)),
    stamp: systemStamp('batch.close'),
  }))
}

const tell = async (ports: FanOutPorts, fan: FanOut, seen: Seen): Promise<void> => {
  if (fan.total === undefined || fan.total === 0 || !hasMoved(fan, seen)) return
  const lost = lostOf(fan, seen.counts)
  const failures = lost > 0 ? `, ${lost} failed` : ''
  const message = `${seen.counts.succeeded} of ${fan.total} shards succeeded${failures}`
  await tellParent(ports, fan, { percent: percentOf(fan, seen.counts), message })
}

/** Keeps what was told, so that nobody is woken to tell it again. */
const showMoved = async (ports: FanOutPorts, start: Stored<FanOut>, seen: Seen): Promise<undefined> => {
  if (hasMoved(start.value, seen))
    await changeFanOut(ports, start, (fan) => ({ ...fan, shown: percentOf(fan, seen.counts) }))
}
