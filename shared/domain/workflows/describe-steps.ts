import type { Platform } from '../../platform/platform.ts'
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

/** What a run asked for, and what it has not come to. */
export const describeSteps = async (ports: Pick<Platform, 'main' | 'objects'>, run: Run): Promise<DescribedStep[]> => {
  const [ran, version] = await Promise.all([
    stepsOf(ports, run),
    getVersion(ports, run.tenant, run.workflow, run.version),
  ])
  const done = ran.map(({ value }) => value).filter((step) => !isInward(step))
  const { steps } = await loadCompiled(ports, version)
  const names = new Set(done.map(({ name }) => name))
  const state = isOver(run) || run.state === 'COMPENSATING' ? 'SKIPPED' : 'PENDING'
  const left = steps.filter(({ name }) => !names.has(name)).map((step): DescribedStep => ({ ...step, state }))
  return [...done.map(shown), ...left]
}
