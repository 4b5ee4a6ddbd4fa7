import type { Platform } from '../../platform/platform.ts'
import { answerBytes } from '../bodies/answer-room.ts'
import { isInward, isOver, type Run, type RunStep, type StepState } from './run.ts'
import { stepsOf } from './run-store.ts'
import { getVersion, loadCompiled } from './workflow-store.ts'

/** A step each time that it ran, or one that has not come yet. */
export type DescribedStep = Pick<
  RunStep,
  | 'name'
  | 'kind'
  | 'index'
  | 'task'
  | 'approval'
  | 'child'
  | 'batch'
  | 'message'
  | 'error'
  | 'cause'
  | 'undoes'
  | 'finishedAt'
> & {
  state: StepState | 'PENDING' | 'SKIPPED'
  startedAt?: number
}

const shownFields = [
  'name',
  'kind',
  'index',
  'state',
  'task',
  'approval',
  'child',
  'batch',
  'message',
  'error',
  'cause',
  'startedAt',
  'finishedAt',
  'undoes',
] as const

const shown = (step: RunStep): DescribedStep =>
  Object.fromEntries(shownFields.flatMap((key) => (step[key] === undefined ? [] : [[key, step[key]]]))) as DescribedStep

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

/** What a run asked for, of too much the last and how many came before, and what it has not come to. */
export const describeSteps = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  run: Run,
): Promise<{ steps: DescribedStep[]; earlierSteps?: number }> => {
  const [ran, version] = await Promise.all([
    stepsOf(ports, run),
    getVersion(ports, run.tenant, run.workflow, run.version),
  ])
  const done = ran.map(({ value }) => value).filter((step) => !isInward(step))
  const { steps } = await loadCompiled(ports, version)
  const names = new Set(done.map(({ name }) => name))
  const state = isOver(run) || run.state === 'COMPENSATING' ? 'SKIPPED' : 'PENDING'
  const left = steps.filter(({ name }) => !names.has(name)).map((step): DescribedStep => ({ ...step, state }))
  const told = lastThatFit(done.map(shown))
  const earlierSteps = done.length - told.length
  return { steps: [...told, ...left], ...(earlierSteps > 0 && { earlierSteps }) }
}
