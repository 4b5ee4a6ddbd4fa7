import type { Platform } from '../../platform/platform.ts'
import { explainApproval, explainRequest, explainTaskWait } from './explain-wait.ts'
import { isInward, isOver, type Run, type RunStep } from './run.ts'
import { stepsOf } from './run-store.ts'
import { explainRows } from './steps/rows-step.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'clock'>

export type StepWhy = { name: string; index?: number; code: string; message: string; wouldChange?: string }
export type RunWhy = { code: string; message: string; steps: StepWhy[] }

/** What each step of a run waits for, or how the run ended. */
export const explainRun = async (ports: Ports, run: Run): Promise<RunWhy> => {
  if (isOver(run)) return { code: run.error ?? run.state, message: endOf(run), steps: [] }
  const open = (await stepsOf(ports, run))
    .map(({ value }) => value)
    .filter((step) => step.state === 'RUNNING' && !isInward(step))
  const steps = await Promise.all(open.map((step) => explainStep(ports, step)))
  const what = run.state === 'COMPENSATING' ? `is undone, since it ended as ${run.outcome}` : 'is under way'
  if (steps.length === 0)
    return { code: 'BETWEEN_STEPS', message: `run ${run.id} ${what}: a wait, or the next step comes`, steps }
  return { code: 'STEPS_RUN', message: `run ${run.id} ${what}: ${inWords(steps)}`, steps }
}

const inWords = (steps: StepWhy[]): string => {
  const [first, ...more] = steps
  return `step ${first?.name}: ${first?.message}${more.length > 0 ? `; and ${more.length} more` : ''}`
}

const endOf = ({ id, state, error, cause, stop, undone }: Run): string => {
  const by = stop && state === 'STOPPED' ? ` by ${stop.by}${stop.reason ? ` (${stop.reason})` : ''}` : ''
  const why = error !== undefined && state !== 'STOPPED' ? ` with ${error}${cause ? `: ${cause}` : ''}` : ''
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
  const { tenant, name, index, task, approval, child, batch, message, subscription, kind } = step
  const own = { name, ...(index !== undefined && { index }) }
  if (task !== undefined) return { ...own, ...(await explainTaskWait(ports, tenant, task)) }
  if (approval !== undefined) return { ...own, ...(await explainApproval(ports, tenant, approval)) }
  if (batch !== undefined) return { ...own, ...(await explainRows(ports, tenant, batch)) }
  if (message !== undefined) return { ...own, ...(await explainRequest(ports, tenant, message)) }
  if (child !== undefined) return { ...own, code: 'CHILD_RUN', message: `waits for the end of run ${child}` }
  if (subscription !== undefined)
    return { ...own, code: 'WAITING_FOR_EVENT', message: `waits for a message that ${subscription} matches` }
  return { ...own, code: 'STEP_BEGINS', message: `its ${kind} is being begun` }
}
