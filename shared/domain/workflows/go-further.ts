import type { Stored } from '../../platform/platform.ts'
import { isForGood } from '../../platform/platform-error.ts'
import { systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { lookMs, type Run } from './run.ts'
import { nextLook } from './run-legs.ts'
import { changeRun, getRun } from './run-store.ts'
import { startMachine } from './start-run.ts'
import type { StepPorts } from './steps/step-command.ts'
import { holdToWishes } from './stop-run.ts'
import { loadCompiledOf } from './workflow-store.ts'

/** Why nobody can start a leg. */
type Failed = { error: string; cause: string }

/**
 * An execution has ended for the next one: the record notes that, then the next is started; again starts nothing. Answers
 * why nobody can start it, where that is so.
 */
export const goFurther = async (
  ports: StepPorts,
  found: Stored<Run>,
  leg: number,
  input: unknown,
): Promise<Failed | undefined> => {
  const timeoutSeconds = found.value.timeoutSeconds ?? (await timeoutOf(ports, found.value))
  const run = await changeRun(ports, found, (current) => {
    if (current.state !== 'RUNNING' || current.leg !== leg) return current
    const next = { ...current, leg: leg + 1, timeoutSeconds }
    return { ...next, dueAt: nextLook(next, ports.clock.now(), lookMs.first), stamp: systemStamp('run.leg') }
  })
  return run.state === 'RUNNING' && run.leg === leg + 1 ? beginLeg(ports, run, input) : undefined
}

/** What a run may take, in seconds. */
export const timeoutOf = async (ports: Pick<StepPorts, 'main' | 'objects'>, run: Run): Promise<number | undefined> =>
  ((await loadCompiledOf(ports, run)).machines.run as { TimeoutSeconds?: number }).TimeoutSeconds

/** Whoever wanted the run to end meanwhile has told the execution before. */
const beginLeg = async (ports: StepPorts, run: Run, input: unknown): Promise<Failed | undefined> => {
  const { tenant, id, leg } = run
  try {
    await startMachine(ports, run, input)
  } catch (error) {
    if (!isForGood(error)) throw error
    ports.telemetry.log('error', 'the next leg of a run cannot be started', { run: id, error: error.message })
    return { error: error.code, cause: error.message }
  }
  await remind(ports, { tenant, id, at: run.dueAt ?? ports.clock.now() })
  const now = (await getRun(ports, tenant, id)).value
  if (now.leg === leg) await holdToWishes(ports, now)
  return undefined
}
