import type { Platform, RunDescription, RunEnd, Stored } from '../../platform/platform.ts'
import { isForGood } from '../../platform/platform-error.ts'
import { planBody } from '../bodies/body.ts'
import { systemStamp } from '../caller.ts'
import { finishRedrive, hasGoneOn } from './redrive-run.ts'
import { type EndState, isInward, isOver, lookMs, type Run, type RunStep, type Undone } from './run.ts'
import { changeRun, findRun, getRun, runPk, stepsOf } from './run-store.ts'
import { deployVersion } from './save-workflow.ts'
import { beginRun } from './start-run.ts'
import { endOpenSteps } from './steps/abandon-steps.ts'
import { attendSteps } from './steps/attend-steps.ts'
import type { StepPorts } from './steps/step-command.ts'
import { stopMachine } from './stop-run.ts'
import { undoInput } from './undo-input.ts'
import { type CompiledWorkflow, isUndoName, undoNameOf } from './workflow.ts'
import { getVersion, loadCompiled } from './workflow-store.ts'

type Ended = Exclude<RunDescription['status'], 'RUNNING'>

const endStates = {
  SUCCEEDED: 'SUCCEEDED',
  FAILED: 'FAILED',
  TIMED_OUT: 'TIMED_OUT',
  ABORTED: 'STOPPED',
} as const satisfies Record<Ended, EndState>

/** A machine has ended: its run has, or begins to undo what it had completed, or has done so. */
export const endRun = async (
  ports: StepPorts,
  { tenant, workflow, run: id }: Omit<RunEnd, 'status'>,
): Promise<void> => {
  const found = await findRun(ports, tenant, id)
  if (found === undefined) return
  const seen = await ports.workflows.describe({ tenant, workflow, run: id })
  if (seen === undefined || seen.status === 'RUNNING') return
  const ended = { ...seen, status: seen.status as Ended }
  if (isUndoName(workflow)) return endUndo(ports, found.value, ended)
  if (hasGoneOn(found.value, seen)) {
    await finishRedrive(ports, found)
    return endRun(ports, { tenant, workflow, run: id })
  }
  if (isOver(found.value)) await endLeft(ports, found.value)
  else if (found.value.state === 'RUNNING') await endMachine(ports, found, ended)
  else if (found.value.state === 'COMPENSATING') await beginUndo(ports, found.value)
}

/** What a death left open when it came between the end of a run and that of its steps; never what a redrive has begun. */
const endLeft = async (ports: StepPorts, run: Run): Promise<void> => {
  const left = new Set((await stepsOf(ports, run)).map(({ value }) => value.id))
  const now = (await findRun(ports, run.tenant, run.id))?.value // a redrive is marked before anything begins for it
  if (now === undefined || !isOver(now) || now.redriving !== undefined) return
  await endOpenSteps(ports, run, { which: ({ id }) => left.has(id), why: `run ${run.id} is ${run.state}` })
}

/** Step Functions' own name of a time-out is told as that of tasks. */
const nameOf = (error: string | undefined): string | undefined => (error === 'States.Timeout' ? 'TIMEOUT' : error)

type EndedMachine = RunDescription & { status: Ended }

const endMachine = async (ports: StepPorts, found: Stored<Run>, ended: EndedMachine): Promise<void> => {
  const run = found.value
  const state = endStates[ended.status]
  const why = `run ${run.id} is ${state}`
  await endOpenSteps(ports, run, { why })
  const undone = state === 'SUCCEEDED' ? [] : await toUndo(ports, run)
  const { body, items } = await planBody(ports, {
    tenant: run.tenant,
    pk: runPk(run.tenant, run.id),
    sk: `output#${run.redrives}`,
    value: ended.output,
    stamp: systemStamp('run.end'),
  })
  for (const item of items) await ports.main.write({ op: 'put', item, expect: 'any' })
  const end = { error: nameOf(ended.error), cause: ended.cause, ...(state === 'SUCCEEDED' && { output: body }) }
  const next = await changeRun(ports, found, (current) => {
    if (current.state !== 'RUNNING') return current
    const last = { ...current, ...end, stamp: systemStamp('run.end') }
    if (undone.length > 0)
      return { ...last, state: 'COMPENSATING', outcome: state, dueAt: ports.clock.now() + lookMs.first }
    return { ...last, state, finishedAt: ports.clock.now(), dueAt: undefined }
  })
  await endOpenSteps(ports, run, { which: ({ undoes }) => !undoes, why }) // what came before the end was stored
  if (next.state === 'COMPENSATING') await beginUndo(ports, next)
}

const compiledOf = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  { tenant, workflow, version }: Run,
): Promise<CompiledWorkflow> => loadCompiled(ports, await getVersion(ports, tenant, workflow, version))

const completed = async (ports: StepPorts, run: Run): Promise<RunStep[]> =>
  (await stepsOf(ports, run))
    .map(({ value }) => value)
    .filter((step) => step.state === 'SUCCEEDED' && !step.undoes && !isInward(step))

/** What has to be undone, the last that completed first. */
const toUndo = async (ports: StepPorts, run: Run, done?: RunStep[]): Promise<RunStep[]> => {
  const { undone } = await compiledOf(ports, run)
  if (undone.length === 0) return []
  const steps = (done ?? (await completed(ports, run))).filter(({ name }) => undone.includes(name))
  return steps.sort((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0) || b.startedAt - a.startedAt)
}

/** Starts the machine that undoes; again starts nothing. One that nobody can start has undone nothing. */
const beginUndo = async (ports: StepPorts, run: Run): Promise<void> => {
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

const endUndo = async (ports: StepPorts, run: Run, { output, error, cause }: EndedMachine): Promise<void> => {
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

/** Compares a run with its machine and with what its steps have begun, in case a start, a stop, an end or a redrive was lost. */
export const attendRun = async (ports: StepPorts, tenant: string, id: string): Promise<void> => {
  const found = await findRun(ports, tenant, id)
  if (found?.value.redriving !== undefined) return finishRedrive(ports, found)
  if (found === undefined || isOver(found.value)) return
  const { state, workflow } = found.value
  const ref = { tenant, workflow: state === 'COMPENSATING' ? undoNameOf(workflow) : workflow, run: id }
  const seen = await ports.workflows.describe(ref)
  if (seen === undefined)
    await (state === 'COMPENSATING' ? beginUndo(ports, found.value) : beginRun(ports, found.value))
  else if (seen.status !== 'RUNNING') await endRun(ports, ref)
  else {
    await attendSteps(ports, found.value)
    await stopMachine(ports, found.value)
  }
  await changeRun(ports, found, (run) => (isOver(run) ? run : { ...run, dueAt: ports.clock.now() + lookMs.later }))
}
