import type { Platform } from '../../platform/platform.ts'
import { isBlock } from './definition.ts'
import { explainApproval, explainChild, explainEvent, explainRequest, explainTaskWait, iso } from './explain-wait.ts'
import { isOver, type Run, type RunStep } from './run.ts'
import { explainRows } from './steps/rows-step.ts'
import type { SeenStep } from './trace/seen-steps.ts'
import { stepsOfRun, type TracePorts } from './trace/steps-of-run.ts'

type Ports = TracePorts & Pick<Platform, 'volatile' | 'queues'>

export type StepWhy = { name: string; index?: number; code: string; message: string; wouldChange?: string }
export type RunWhy = { code: string; message: string; steps: StepWhy[] }

/** What each step of a run waits for, or how the run ended. */
export const explainRun = async (ports: Ports, run: Run): Promise<RunWhy> => {
  const { asked, seen } = await stepsOfRun(ports, run)
  if (isOver(run))
    return { code: run.error ?? run.state, message: endOf(run, whereEnded(run, [...seen, ...asked])), steps: [] }
  const open = asked.filter(({ state }) => state === 'RUNNING')
  const steps = [
    ...(await Promise.all(open.map((step) => explainStep(ports, step)))),
    ...seen.flatMap((step) => explainSeen(step) ?? []),
  ]
  const isUndone = run.state === 'COMPENSATING'
  const what = isUndone ? `is undone, since it ended as ${run.outcome}` : 'is under way'
  const next = isUndone ? 'a wait, or the next step comes' : 'the next step comes'
  if (steps.length === 0) return { code: 'BETWEEN_STEPS', message: `run ${run.id} ${what}: ${next}`, steps }
  return { code: 'STEPS_RUN', message: `run ${run.id} ${what}: ${inWords(steps)}`, steps }
}

/** The step that a run has failed in: the innermost, where blocks have failed with it. */
const whereEnded = ({ error, cause }: Run, steps: (RunStep | SeenStep)[]): string | undefined => {
  const hasBroughtDown = (step: RunStep | SeenStep): boolean =>
    step.state === 'FAILED' && !step.undoes && step.error === error && (step.cause ?? '') === (cause ?? '')
  const failed = steps.filter(hasBroughtDown)
  return (failed.findLast(({ kind }) => !isBlock(kind)) ?? failed.at(-1))?.name
}

/** What a machine waits for by itself; blocks wait for what is in them. */
const explainSeen = (step: SeenStep): StepWhy | undefined => {
  const { name, kind, state, until, when } = step
  if (state === 'PENDING') return { name, code: 'RETRY_LATER', message: tryLater(step) }
  if (state !== 'RUNNING' || isBlock(kind)) return undefined
  if (kind !== 'wait') return { name, code: 'STEP_BEGINS', message: `its ${kind} is being begun` }
  const time = until === undefined ? `the time that ${when} gives` : iso(until)
  return { name, code: 'WAITING', message: `waits until ${time}` }
}

const tryLater = ({ error, cause, until, attempt, attempts }: SeenStep): string => {
  const failed = `failed with ${error}${cause ? `: ${cause}` : ''}`
  return until === undefined ? failed : `${failed}; try ${attempt} of ${attempts} begins by ${iso(until)}`
}

const inWords = (steps: StepWhy[]): string => {
  const [first, ...more] = steps
  return `step ${first?.name}: ${first?.message}${more.length > 0 ? `; and ${more.length} more` : ''}`
}

const endOf = ({ id, state, error, cause, stop, undone }: Run, step?: string): string => {
  const by = stop && state === 'STOPPED' ? ` by ${stop.by}${stop.reason ? ` (${stop.reason})` : ''}` : ''
  const at = step !== undefined && state === 'FAILED' ? ` at step ${step}` : ''
  const why = error !== undefined && state !== 'STOPPED' ? `${at} with ${error}${cause ? `: ${cause}` : ''}` : ''
  const stays = undone?.filter((one) => !one.undone).map(({ step }) => step) ?? []
  const undoing =
    undone === undefined
      ? ''
      : stays.length > 0
        ? `; ${stays.join(', ')} could not be undone`
        : '; everything was undone'
  return `run ${id} is ${state}${by}${why}${undoing}`
}

const explainStep = async (ports: Ports, step: RunStep): Promise<StepWhy> => {
  const { tenant, name, index, task, approval, child, batch, message, kind } = step
  const own = { name, ...(index !== undefined && { index }) }
  if (task !== undefined) return { ...own, ...(await explainTaskWait(ports, tenant, task)) }
  if (approval !== undefined) return { ...own, ...(await explainApproval(ports, tenant, approval)) }
  if (batch !== undefined) return { ...own, ...(await explainRows(ports, tenant, batch)) }
  if (message !== undefined) return { ...own, ...(await explainRequest(ports, tenant, message)) }
  if (child !== undefined) return { ...own, ...explainChild(child) }
  if (step.subscription !== undefined) return { ...own, ...(await explainEvent(ports, step)) }
  return { ...own, code: 'STEP_BEGINS', message: `its ${kind} is being begun` }
}
