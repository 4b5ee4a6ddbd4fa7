import type { Platform, RunEvent } from '../../../platform/platform.ts'
import { isForGood } from '../../../platform/platform-error.ts'
import type { Run } from '../run.ts'
import { machineOf } from '../run-legs.ts'
import type { Trace } from './seen-steps.ts'
import { visitsOf } from './visits.ts'

type Ports = Pick<Platform, 'workflows' | 'telemetry'>

/** So much is read of a run, the newest first: three calls to its host at most. */
const most = { pages: 3, events: 1000 }

type Read = { events: RunEvent[]; isWhole: boolean }

const readLeg = async (
  { workflows }: Ports,
  run: Run,
  leg: number,
  pages: number,
): Promise<Read & { pages: number }> => {
  const events: RunEvent[] = []
  let cursor: string | undefined
  let read = 0
  do {
    const page = { limit: most.events, cursor, order: 'descending', bare: true } as const
    const found = await workflows.history(machineOf(run, leg), page)
    events.push(...found.events)
    cursor = found.cursor
    read += 1
  } while (cursor !== undefined && read < pages)
  events.sort((a, b) => a.id - b.id)
  return { events, isWhole: events[0]?.id === 1, pages: read }
}

/** What the machine of a run has done, in all of its legs as far as there is room; of a host that is too busy to tell, nothing. */
export const readTrace = async (ports: Ports, run: Run): Promise<Trace> => {
  const isRunning = run.state === 'RUNNING'
  try {
    const legs: Read[] = []
    let left = most.pages
    for (let leg = run.leg ?? 0; leg >= 0 && left > 0; leg--) {
      const { pages, ...read } = await readLeg(ports, run, leg, left)
      legs.unshift(read)
      left -= pages
    }
    const isWhole = legs.length > (run.leg ?? 0) && legs.every((leg) => leg.isWhole)
    return { visits: legs.flatMap(({ events }) => visitsOf(events)), isWhole, isRunning }
  } catch (error) {
    if (isForGood(error)) throw error
    ports.telemetry.log('debug', 'the history of a run could not be read', { run: run.id, error: String(error) })
    return { visits: [], isWhole: false, isRunning }
  }
}
