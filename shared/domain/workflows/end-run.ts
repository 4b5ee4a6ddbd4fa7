import type { RunDescription, RunEnd, Stored } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import { systemStamp } from '../caller.ts'
import { goFurther } from './go-further.ts'
import { finishRedrive, hasGoneOn } from './redrive-run.ts'
import { type EndState, isOver, lookMs, type Run } from './run.ts'
import { furtherOf, outputOf, parseExecution } from './run-legs.ts'
import { changeRun, findRun, getRun, runPk, stepsOf } from './run-store.ts'
import { endOpenSteps } from './steps/abandon-steps.ts'
import type { StepPorts } from './steps/step-command.ts'
import { timedOut } from './stop-run.ts'
import { beginUndo, endUndo, toUndo } from './undo-run.ts'
import { whyEnded } from './why-ended.ts'
import { isUndoName } from './workflow.ts'

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
  if (further !== undefined) {
    const failed = await goFurther(ports, found, leg, further)
    if (failed) await endMachine(ports, await getRun(ports, ref.tenant, id), { status: 'FAILED', ...failed })
    return
  }
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

type EndedMachine = Pick<RunDescription, 'output' | 'error' | 'cause' | 'stoppedAt'> & { status: Ended }

/** The product ends the machine of a run whose time is over, where the machine does not know. */
const isTimedOut = ({ status, error }: EndedMachine): boolean => status === 'ABORTED' && error === timedOut.error

const endMachine = async (ports: StepPorts, found: Stored<Run>, ended: EndedMachine): Promise<void> => {
  const run = found.value
  const state = isTimedOut(ended) ? 'TIMED_OUT' : endStates[ended.status]
  const why = `run ${run.id} is ${state}`
  const { late, ...failure } = await whyEnded(ports, run, { ...ended, state })
  await endOpenSteps(ports, run, { why, late: late?.id })
  const undone = state === 'SUCCEEDED' ? [] : await toUndo(ports, run)
  const { body, items } = await planBody(ports, {
    tenant: run.tenant,
    pk: runPk(run.tenant, run.id),
    sk: `output#${run.redrives}`,
    value: outputOf(run, ended),
    stamp: systemStamp('run.end'),
  })
  for (const item of items) await ports.main.write({ op: 'put', item, expect: 'any' })
  const end = { ...failure, ...(state === 'SUCCEEDED' && { output: body }) }
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
