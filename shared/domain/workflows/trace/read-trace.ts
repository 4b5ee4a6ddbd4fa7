import type { Platform, RunEvent, RunRef } from '../../../platform/platform.ts'
import { isForGood } from '../../../platform/platform-error.ts'
import type { Run } from '../run.ts'
import { machineOf } from '../run-legs.ts'
import { undoNameOf } from '../workflow.ts'
import type { Trace } from './seen-steps.ts'
import { type Visit, visitsOf } from './visits.ts'

type Ports = Pick<Platform, 'workflows' | 'telemetry'>

/** So much is read of what a run has done, and of what it has undone, the newest first: three calls to its host at most for each. */
const most = { pages: 3, events: 1000 }

type Read = { events: RunEvent[]; isWhole: boolean }

const readMachine = async ({ workflows }: Ports, ref: RunRef, pages: number): Promise<Read & { pages: number }> => {
  const events: RunEvent[] = []
  let cursor: string | undefined
  let read = 0
  do {
    const page = { limit: most.events, cursor, order: 'descending', bare: true } as const
    const found = await workflows.history(ref, page)
    events.push(...found.events)
    cursor = found.cursor
    read += 1
  } while (cursor !== undefined && read < pages)
  events.sort((a, b) => a.id - b.id)
  return { events, isWhole: events[0]?.id === 1, pages: read }
}

/** A machine ends with this state for the next one, in the middle of its loops: nothing has left it before that goes on. */
const isFurther = (visit: Visit | undefined): visit is Visit => visit?.state.endsWith(': further') ?? false

/** What the machines have done one after the other, where each has told what it did. */
const joined = (reads: Read[]): Visit[] => {
  const visits = reads.flatMap(({ events }) => visitsOf(events))
  const last = visits.at(-1)
  if (isFurther(last)) last.endedAt = undefined
  return visits
}

/** What machines have done that follow each other, as far as there is room; of a host that is too busy to tell, nothing. */
const readMachines = async (ports: Ports, refs: RunRef[], isRunning: boolean): Promise<Trace> => {
  try {
    const reads: Read[] = []
    let left = most.pages
    for (const ref of refs.toReversed()) {
      if (left <= 0) break
      const { pages, ...read } = await readMachine(ports, ref, left)
      reads.unshift(read)
      left -= pages
    }
    const isWhole = reads.length === refs.length && reads.every((read) => read.isWhole)
    return { visits: joined(reads), isWhole, isRunning }
  } catch (error) {
    if (isForGood(error)) throw error
    const run = refs.at(-1)?.run
    ports.telemetry.log('debug', 'the history of a run could not be read', { run, error: String(error) })
    return { visits: [], isWhole: false, isRunning }
  }
}

/** What the machine of a run has done, in all of its legs. */
export const readTrace = (ports: Ports, run: Run): Promise<Trace> => {
  const legs = Array.from({ length: (run.leg ?? 0) + 1 }, (_, leg) => machineOf(run, leg))
  return readMachines(ports, legs, run.state === 'RUNNING')
}

/** What the machine has done that undoes what a run had completed, once there is one. */
export const readUndoTrace = async (ports: Ports, run: Run): Promise<Trace> => {
  const { tenant, id, workflow, state, undone } = run
  const isRunning = state === 'COMPENSATING'
  const ref = { tenant, workflow: undoNameOf(workflow), run: id }
  return readMachines(ports, isRunning || undone !== undefined ? [ref] : [], isRunning)
}
