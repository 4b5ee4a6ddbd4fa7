import type { RunResponse } from '#shared/contracts/workflows.ts'
import { type Body, loadBody } from '#shared/domain/bodies/body.ts'
import {
  type Described,
  type DescribedStep,
  describeAsked,
  describeSteps,
} from '#shared/domain/workflows/describe-steps.ts'
import type { Run } from '#shared/domain/workflows/run.ts'
import { runPk } from '#shared/domain/workflows/run-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { iso } from '../../headers.ts'

const shown = async <K extends 'input' | 'output'>(
  platform: Platform,
  { tenant, id }: Run,
  name: K,
  body: Body | undefined,
) => {
  if (body === undefined) return {}
  if (body.in === 'object') return { [`${name}Ref`]: { $ref: body.id } }
  return { [name]: await loadBody(platform, { tenant, pk: runPk(tenant, id), body }) }
}

/** A run as lists have it. */
export const toRun = async (platform: Platform, run: Run): Promise<RunResponse> => {
  const { id, workflow, version, state, error, cause, stop, undone, parent, rerunOf, redrives } = run
  return {
    id,
    workflow,
    version,
    state,
    ...(await shown(platform, run, 'input', run.input)),
    ...(await shown(platform, run, 'output', run.output)),
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause }),
    ...(stop && { stop }),
    ...(undone && { undone }),
    ...(parent && { parent: parent.run }),
    ...(rerunOf !== undefined && { rerunOf }),
    redrives,
    startedAt: iso(run.startedAt),
    ...(run.finishedAt !== undefined && { finishedAt: iso(run.finishedAt) }),
  }
}

const toStep = ({ startedAt, until, finishedAt, ...step }: DescribedStep) => ({
  ...step,
  ...(startedAt !== undefined && { startedAt: iso(startedAt) }),
  ...(until !== undefined && { until: iso(until) }),
  ...(finishedAt !== undefined && { finishedAt: iso(finishedAt) }),
})

const withSteps = async (platform: Platform, run: Run, { steps, ...rest }: Described): Promise<RunResponse> => ({
  ...(await toRun(platform, run)),
  ...rest,
  steps: steps.map(toStep),
})

/** The same with the state of every step. */
export const toRunWithSteps = async (platform: Platform, run: Run): Promise<RunResponse> =>
  withSteps(platform, run, await describeSteps(platform, run))

/** The same with the steps that the product does. */
export const toRunWithAsked = async (platform: Platform, run: Run): Promise<RunResponse> =>
  withSteps(platform, run, await describeAsked(platform, run))
