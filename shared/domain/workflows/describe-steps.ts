import { answerBytes } from '../bodies/answer-room.ts'
import { isOver, type Run, type RunStep, type StepState } from './run.ts'
import type { SeenStep } from './trace/seen-steps.ts'
import { askedSteps, type StepsOfRun, stepsOfRun, type TracePorts } from './trace/steps-of-run.ts'
import type { OutlineStep } from './workflow.ts'

/** A step each time that the product was asked for it, what the machine does by itself as of the last time, or one that has not come yet. */
export type DescribedStep = OutlineStep &
  Partial<Pick<RunStep, (typeof recordFields)[number]>> &
  Partial<Pick<SeenStep, 'attempt' | 'attempts'>> & {
    state: StepState | 'PENDING' | 'SKIPPED'
  }

const recordFields = [
  'index',
  'task',
  'approval',
  'child',
  'batch',
  'message',
  'error',
  'cause',
  'startedAt',
  'until',
  'finishedAt',
  'undoes',
] as const
const shownFields = ['name', 'kind', 'in', 'state', 'attempt', 'attempts', ...recordFields] as const

const shown = (step: Partial<RunStep> | SeenStep): DescribedStep =>
  Object.fromEntries(
    shownFields.flatMap((key) => {
      const value = (step as Partial<DescribedStep>)[key]
      return value === undefined ? [] : [[key, value]]
    }),
  ) as DescribedStep

/** Around them are the texts of their times, the run, and escapes. */
const mostBytes = answerBytes / 2

/** The last steps that an answer has room for. */
const lastThatFit = (steps: DescribedStep[]): DescribedStep[] => {
  let bytes = 0
  const left = steps.findLastIndex((step) => {
    bytes += Buffer.byteLength(JSON.stringify(step))
    return bytes > mostBytes
  })
  return steps.slice(left + 1)
}

export type Described = { steps: DescribedStep[]; earlierSteps?: number }

/** What a run has come to, of too much the last and how many came before, and what it has not. */
export const describeSteps = async (ports: TracePorts, run: Run): Promise<Described> =>
  described(run, await stepsOfRun(ports, run))

/** The same of what the product was asked for alone: the host of its machine is not asked. */
export const describeAsked = async (
  ports: Pick<TracePorts, 'main' | 'objects' | 'clock'>,
  run: Run,
): Promise<Described> => described(run, await askedSteps(ports, run))

const described = (run: Run, { outline, asked, seen, left }: StepsOfRun): Described => {
  const placeOf = new Map(outline.map((step) => [step.name, step.in]))
  const begun = [...seen, ...asked.map((step) => ({ ...step, in: placeOf.get(step.name) }))]
  const inOrder = begun.map(shown).sort((a, b) => Number(a.startedAt) - Number(b.startedAt))
  const told = lastThatFit(inOrder)
  const state = isOver(run) || run.state === 'COMPENSATING' ? 'SKIPPED' : 'PENDING'
  const earlierSteps = inOrder.length - told.length
  return {
    steps: [...told, ...left.map((step) => ({ ...step, state }) as const)],
    ...(earlierSteps > 0 && { earlierSteps }),
  }
}
