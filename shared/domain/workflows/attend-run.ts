import { remind } from '../dispatch/due.ts'
import { endRun } from './end-run.ts'
import { finishRedrive } from './redrive-run.ts'
import { isOver, lookMs, type Run } from './run.ts'
import { machineOf, nextLook } from './run-legs.ts'
import { changeRun, findRun } from './run-store.ts'
import { beginRun } from './start-run.ts'
import { attendSteps } from './steps/attend-steps.ts'
import type { StepPorts } from './steps/step-command.ts'
import { holdToWishes } from './stop-run.ts'
import { beginUndo } from './undo-run.ts'
import { undoNameOf } from './workflow.ts'

/** Compares a run with its machine and with what its steps have begun, in case a start, a stop, an end or a redrive was lost. */
export const attendRun = async (ports: StepPorts, tenant: string, id: string): Promise<void> => {
  const found = await findRun(ports, tenant, id)
  if (found?.value.redriving !== undefined) return finishRedrive(ports, found)
  if (found === undefined || isOver(found.value)) return
  const { state, workflow } = found.value
  const ref = state === 'COMPENSATING' ? { tenant, workflow: undoNameOf(workflow), run: id } : machineOf(found.value)
  const seen = await ports.workflows.describe(ref)
  if (seen === undefined) await (state === 'COMPENSATING' ? beginUndo(ports, found.value) : begin(ports, found.value))
  else if (seen.status !== 'RUNNING') await endRun(ports, ref)
  else {
    await attendSteps(ports, found.value)
    await holdToWishes(ports, found.value)
  }
  const run = await changeRun(ports, found, (current) => {
    const isSettled = isOver(current) || current.leg !== found.value.leg
    return isSettled ? current : { ...current, dueAt: nextLook(current, ports.clock.now(), lookMs.later) }
  })
  if (run.timeoutSeconds !== undefined && run.dueAt !== undefined) await remind(ports, { tenant, id, at: run.dueAt })
}

/** Starts the execution that a run is in and that is not there: a later one is what the end of the one before asks for. */
const begin = async (ports: StepPorts, run: Run): Promise<void> => {
  const { leg = 0 } = run
  if (leg === 0) await beginRun(ports, run)
  else await endRun(ports, machineOf(run, leg - 1))
}
