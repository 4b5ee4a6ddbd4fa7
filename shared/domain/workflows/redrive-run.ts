import type { Platform, RunDescription, Stored } from '../../platform/platform.ts'
import { type Caller, type Stamp, stamp, systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { DomainError, orThrow, type Refused, refuse } from '../domain-error.ts'
import { isOver, lookMs, type Run } from './run.ts'
import { machineOf } from './run-legs.ts'
import { changeRun, getRun } from './run-store.ts'

type Ports = Pick<Platform, 'main' | 'queues' | 'workflows' | 'clock' | 'random' | 'telemetry'>

/**
 * Runs what did not succeed again, from there; what was undone cannot go on. The run is marked, then its machine is told,
 * then the run is under way: until then no end that was told before is taken for that of this time.
 */
export const redriveRun = async (ports: Ports, caller: Caller, id: string): Promise<Run> => {
  const dueAt = ports.clock.now() + lookMs.first
  const found = await getRun(ports, caller.tenant, id)
  const ended = (await ports.workflows.describe(machineOf(found.value)))?.stoppedAt ?? 0
  const run = await changeRun(ports, found, (current) => orThrow(marked(current, { dueAt, ended })))
  await remind(ports, { tenant: caller.tenant, id, at: dueAt })
  return goOn(ports, { ...found, value: run }, stamp(caller, 'run.redrive'))
}

const marked = (run: Run, { dueAt, ended }: { dueAt: number; ended: number }): Run | Refused => {
  const { id, state, undone, redriving } = run
  if (!isOver(run) || state === 'SUCCEEDED')
    return refuse('CONFLICT', `run ${id} is ${state}; only one that did not succeed can be redriven`)
  if (undone !== undefined)
    return refuse('CONFLICT', `what run ${id} had completed was undone; start it again: devcycle runs rerun ${id}`)
  return redriving === undefined ? { ...run, redriving: ended, dueAt } : run
}

const unmarked = ({ redriving: _, ...run }: Run): Run => ({ ...run, dueAt: undefined })

/** A machine that ended again before its run was under way is looked at after so long. */
const soonMs = 1000

/** Whether a machine goes on, or went on and has ended once more; told so again it does nothing else. */
const goesOn = async ({ workflows }: Pick<Ports, 'workflows'>, run: Run): Promise<boolean> => {
  const ref = machineOf(run)
  if (hasGoneOn(run, await workflows.describe(ref)) || (await workflows.redrive(ref))) return true
  return hasGoneOn(run, await workflows.describe(ref))
}

/** Since its run was marked. */
export const hasGoneOn = ({ redriving }: Run, seen: RunDescription | undefined): boolean =>
  redriving !== undefined && seen !== undefined && (seen.status === 'RUNNING' || (seen.stoppedAt ?? 0) !== redriving)

/** Goes on with a run that is marked; one that was told to go on already is. */
const goOn = async (ports: Ports, found: Stored<Run>, by: Stamp): Promise<Run> => {
  const { tenant, id } = found.value
  const goes = await goesOn(ports, found.value)
  const run = await changeRun(ports, found, (current) => {
    if (current.redriving === undefined) return current
    return goes ? underWay(current, ports.clock.now(), by) : unmarked(current)
  })
  await remind(ports, { tenant, id, at: ports.clock.now() + soonMs })
  if (goes) return run
  throw new DomainError(
    'CONFLICT',
    `run ${id} is too old, or has happened too much, for its machine to go on; start it again: devcycle runs rerun ${id}`,
  )
}

const underWay = (run: Run, now: number, by: Stamp): Run => {
  const { stop: _, error: __, cause: ___, finishedAt: ____, ...left } = unmarked(run)
  return { ...left, state: 'RUNNING', redrives: run.redrives + 1, redrivenAt: now, dueAt: now + soonMs, stamp: by }
}

/** The same for a run whose redrive broke off. */
export const finishRedrive = async (ports: Ports, found: Stored<Run>): Promise<void> => {
  await goOn(ports, found, systemStamp('run.redrive')).catch((error: unknown) => {
    if (!(error instanceof DomainError) || error.code !== 'CONFLICT') throw error
  })
}
