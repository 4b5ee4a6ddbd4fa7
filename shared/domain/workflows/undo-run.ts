import type { RunDescription } from '../../platform/platform.ts'
import { isForGood } from '../../platform/platform-error.ts'
import { isInward, type Run, type RunStep, type Undone } from './run.ts'
import { changeRun, getRun, stepsOf } from './run-store.ts'
import { deployVersion } from './save-workflow.ts'
import { endOpenSteps } from './steps/abandon-steps.ts'
import type { StepPorts } from './steps/step-command.ts'
import { undoInput } from './undo-input.ts'
import { undoNameOf } from './workflow.ts'
import { getVersion, loadCompiledOf } from './workflow-store.ts'

const completed = async (ports: StepPorts, run: Run): Promise<RunStep[]> =>
  (await stepsOf(ports, run))
    .map(({ value }) => value)
    .filter((step) => step.state === 'SUCCEEDED' && !step.undoes && !isInward(step))

/** What has to be undone, the last that completed first. */
export const toUndo = async (ports: StepPorts, run: Run, done?: RunStep[]): Promise<RunStep[]> => {
  const { undone } = await loadCompiledOf(ports, run)
  if (undone.length === 0) return []
  const steps = (done ?? (await completed(ports, run))).filter(({ name }) => undone.includes(name))
  return steps.sort((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0) || b.startedAt - a.startedAt)
}

/** Starts the machine that undoes; again starts nothing. One that nobody can start has undone nothing. */
export const beginUndo = async (ports: StepPorts, run: Run): Promise<void> => {
  const { tenant, id, workflow, version } = run
  const done = await completed(ports, run)
  const undo = await toUndo(ports, run, done)
  const others = done.filter((step) => !undo.includes(step))
  const input = await undoInput(ports, run, { undo, others })
  try {
    const of = await getVersion(ports, tenant, workflow, version)
    await deployVersion(ports, of)
    await ports.workflows.start({ tenant, workflow: undoNameOf(workflow), run: id, version: of.machine, input })
  } catch (error) {
    if (!isForGood(error)) throw error
    ports.telemetry.log('error', 'what a run had completed cannot be undone', { run: id, error: error.message })
    await noteUndone(ports, run, [{ step: '*', undone: false, error: error.code, cause: error.message }])
  }
}

type EndedUndo = Pick<RunDescription, 'output' | 'error' | 'cause'>

/** The machine that undoes has ended: the run is over, with what it tells of each step. */
export const endUndo = async (ports: StepPorts, run: Run, { output, error, cause }: EndedUndo): Promise<void> => {
  const why = 'undoing has ended'
  await endOpenSteps(ports, run, { why })
  const failed = [{ step: '*', undone: false, error, cause }]
  await noteUndone(ports, run, Array.isArray(output) ? (output as Undone[]) : failed)
  await endOpenSteps(ports, run, { why })
}

const noteUndone = async (ports: StepPorts, { tenant, id }: Run, undone: Undone[]): Promise<void> => {
  const found = await getRun(ports, tenant, id)
  await changeRun(ports, found, (run) => {
    if (run.state !== 'COMPENSATING') return run
    return { ...run, state: run.outcome ?? 'FAILED', undone, finishedAt: ports.clock.now(), dueAt: undefined }
  })
}
