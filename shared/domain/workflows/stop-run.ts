import type { Platform, Stored } from '../../platform/platform.ts'
import { actorOf, type Caller, type Stamp, stamp, systemStamp } from '../caller.ts'
import { DomainError, orThrow, refuse } from '../domain-error.ts'
import { isOver, lookMs, type Run } from './run.ts'
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
  const {
    tenant,
    workflow,
    id,
    stop: { by, reason },
  } = run
  await workflows.stop(
    { tenant, workflow, run: id },
    { error: 'STOPPED', cause: `by ${by}${reason ? `: ${reason}` : ''}` },
  )
}

/** Runs what did not succeed again, from there; what was undone cannot go on. */
export const redriveRun = async (ports: Ports, caller: Caller, id: string): Promise<Run> => {
  const found = await getRun(ports, caller.tenant, id)
  const { state, undone, workflow, tenant } = found.value
  if (!isOver(found.value) || state === 'SUCCEEDED')
    throw new DomainError('CONFLICT', `run ${id} is ${state}; only one that did not succeed can be redriven`)
  if (undone !== undefined)
    throw new DomainError(
      'CONFLICT',
      `what run ${id} had completed was undone; start it again: devcycle runs rerun ${id}`,
    )
  const now = ports.clock.now()
  const run = await changeRun(ports, found, ({ stop: _, error: __, cause: ___, finishedAt: ____, ...current }) => ({
    ...current,
    state: 'RUNNING',
    redrives: current.redrives + 1,
    dueAt: now + lookMs.first,
    stamp: stamp(caller, 'run.redrive'),
  }))
  await ports.workflows.redrive({ tenant, workflow, run: id })
  return run
}
