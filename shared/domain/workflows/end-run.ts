import type { Platform, RunDescription, RunEnd, Stored } from '../../platform/platform.ts'
import { isForGood } from '../../platform/platform-error.ts'
import { planBody } from '../bodies/body.ts'
import { systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { finishRedrive, hasGoneOn } from './redrive-run.ts'
import { type EndState, isInward, isOver, lookMs, type Run, type RunStep, type Undone } from './run.ts'
import { endOfTime, furtherOf, machineOf, nextLook, outputOf, parseExecution } from './run-legs.ts'
import { changeRun, findRun, getRun, runPk, stepsOf } from './run-store.ts'
import { deployVersion } from './save-workflow.ts'
import { beginRun, startMachine } from './start-run.ts'
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
export const endRun = async (ports: StepPorts, ref: Omit<RunEnd, 'status'>): Promise<void> => {
  const { id, leg } = parseExecution(ref.run)
  const found = await findRun(ports, ref.tenant, id)
  if (found === undefined) return
  const seen = await ports.workflows.describe(ref)
  if (seen === undefined || seen.status === 'RUNNING') return
  const ended = { ...seen, status: seen.status as Ended }
  if (isUndoName(ref.workflow)) return endUndo(ports, found.value, ended)
  const { leg: now = 0 } = found.value
  if (leg === now && hasGoneOn(found.value, seen)) {
    await finishRedrive(ports, found)
    return endRun(ports, ref)
  }
  const further = furtherOf(found.value, seen)
  if (further !== undefined) return goFurther(ports, found, leg, further)
  if (leg !== now) return
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

type EndedMachine = Pick<RunDescription, 'output' | 'error' | 'cause'> & { status: Ended }

/** The product ends the machine of a run whose time is over, where the machine does not know. */
const isTimedOut = ({ status, error }: EndedMachine): boolean => status === 'ABORTED' && error === timedOut.error
const timedOut = { error: 'States.Timeout' }

const endMachine = async (ports: StepPorts, found: Stored<Run>, ended: EndedMachine): Promise<void> => {
  const run = found.value
  const state = isTimedOut(ended) ? 'TIMED_OUT' : endStates[ended.status]
  const why = `run ${run.id} is ${state}`
  await endOpenSteps(ports, run, { why })
  const undone = state === 'SUCCEEDED' ? [] : await toUndo(ports, run)
  const { body, items } = await planBody(ports, {
    tenant: run.tenant,
    pk: runPk(run.tenant, run.id),
    sk: `output#${run.redrives}`,
    value: outputOf(run, ended),
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

/** An execution has ended for the next one: the record notes that, then the next is started; again starts nothing. */
const goFurther = async (ports: StepPorts, found: Stored<Run>, leg: number, input: unknown): Promise<void> => {
  const timeoutSeconds = found.value.timeoutSeconds ?? (await timeoutOf(ports, found.value))
  const run = await changeRun(ports, found, (current) => {
    if (current.state !== 'RUNNING' || current.leg !== leg) return current
    const next = { ...current, leg: leg + 1, timeoutSeconds }
    return { ...next, dueAt: nextLook(next, ports.clock.now(), lookMs.first), stamp: systemStamp('run.leg') }
  })
  if (run.state === 'RUNNING' && run.leg === leg + 1) await beginLeg(ports, run, input)
}

const timeoutOf = async (ports: StepPorts, run: Run): Promise<number | undefined> =>
  ((await compiledOf(ports, run)).machines.run as { TimeoutSeconds?: number }).TimeoutSeconds

/** Whoever wanted the run to end meanwhile has told the execution before. One that nobody can start is a failure of the run. */
const beginLeg = async (ports: StepPorts, run: Run, input: unknown): Promise<void> => {
  const { tenant, id, leg } = run
  try {
    await startMachine(ports, run, input)
  } catch (error) {
    if (!isForGood(error)) throw error
    ports.telemetry.log('error', 'the next leg of a run cannot be started', { run: id, error: error.message })
    const failed = { status: 'FAILED', error: error.code, cause: error.message } as const
    return endMachine(ports, await getRun(ports, tenant, id), failed)
  }
  await remind(ports, { tenant, id, at: run.dueAt ?? ports.clock.now() })
  const now = (await getRun(ports, tenant, id)).value
  if (now.leg === leg) await holdToWishes(ports, now)
}

/** Ends the machine of a run that somebody wants to end, or whose time is over. */
const holdToWishes = async (ports: StepPorts, run: Run): Promise<void> => {
  await stopMachine(ports, run)
  if (run.state === 'RUNNING' && ports.clock.now() >= endOfTime(run))
    await ports.workflows.stop(machineOf(run), timedOut)
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
