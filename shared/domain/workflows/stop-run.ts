import type { Platform, Stored } from '../../platform/platform.ts'
import { actorOf, type Caller, type Stamp, stamp, systemStamp } from '../caller.ts'
import { orThrow, refuse } from '../domain-error.ts'
import { isOver, type Run } from './run.ts'
import { endOfTime, machineOf } from './run-legs.ts'
import { changeRun, findRun, getRun } from './run-store.ts'

type Ports = Pick<Platform, 'main' | 'workflows' | 'clock' | 'random'>

/** Ends a run: what it has begun is cancelled, what it had completed is undone. A stopped one stays stopped. */
export const stopRun = async (ports: Ports, caller: Caller, id: string, reason?: string): Promise<Run> =>
  stop(ports, await getRun(ports, caller.tenant, id), { by: actorOf(caller), reason, stamp: stamp(caller, 'run.stop') })

/** The same for the run of a step that nobody waits for any more; one that is over stays as it is. */
export const stopChild = async (ports: Ports, tenant: string, id: string, reason: string): Promise<void> => {
  const found = await findRun(ports, tenant, id)
  if (found && found.value.state === 'RUNNING')
    await stop(ports, found, { by: 'system', reason, stamp: systemStamp('run.stop') })
}

type Wish = { by: string; reason?: string; stamp: Stamp }

const stop = async (ports: Ports, found: Stored<Run>, { by, reason, stamp: stamped }: Wish): Promise<Run> => {
  const run = await changeRun(ports, found, (current) => {
    if (current.stop !== undefined || current.state === 'STOPPED') return current
    return orThrow(stopped(current, { by, reason, stamp: stamped }))
  })
  await stopMachine(ports, run)
  return run
}

const stopped = (run: Run, { by, reason, stamp: stamped }: Wish) => {
  if (isOver(run)) return refuse('ALREADY_FINISHED', `run ${run.id} is ${run.state} and cannot be stopped`)
  if (run.state === 'COMPENSATING')
    return refuse('CONFLICT', `run ${run.id} undoes what it had completed, and cannot be stopped in that`)
  return { ...run, stop: { by, ...(reason !== undefined && { reason }) }, stamp: stamped }
}

/** Tells the machine of a run that somebody wants it to end. */
export const stopMachine = async ({ workflows }: Pick<Platform, 'workflows'>, run: Run): Promise<void> => {
  if (run.stop === undefined || run.state !== 'RUNNING') return
  const { by, reason } = run.stop
  await workflows.stop(machineOf(run), { error: 'STOPPED', cause: `by ${by}${reason ? `: ${reason}` : ''}` })
}

/** What a machine is told that is stopped because its time is over. */
export const timedOut = { error: 'States.Timeout' }

/** Ends the machine of a run that somebody wants to end, or whose time is over. */
export const holdToWishes = async (ports: Pick<Platform, 'workflows' | 'clock'>, run: Run): Promise<void> => {
  await stopMachine(ports, run)
  if (run.state === 'RUNNING' && ports.clock.now() >= endOfTime(run))
    await ports.workflows.stop(machineOf(run), timedOut)
}
