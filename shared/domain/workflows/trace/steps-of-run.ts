import type { Platform } from '../../../platform/platform.ts'
import { ownKinds } from '../definition.ts'
import { asOf } from '../late-step.ts'
import { isInward, isOver, type Run, type RunStep } from '../run.ts'
import { stepsOf } from '../run-store.ts'
import type { OutlineStep } from '../workflow.ts'
import { getVersion, loadCompiled } from '../workflow-store.ts'
import { statesOf } from './asl.ts'
import { readTrace, readUndoTrace } from './read-trace.ts'
import { type SeenStep, seenSteps } from './seen-steps.ts'

export type TracePorts = Pick<Platform, 'main' | 'objects' | 'workflows' | 'clock' | 'telemetry'>

export type StepsOfRun = {
  /** Of the definition, also those that undo. */
  outline: OutlineStep[]
  /** What it asked the product for, each time, in the order of asking. */
  asked: RunStep[]
  /** What its machine alone knows. */
  seen: SeenStep[]
  /** What has not come yet. */
  left: OutlineStep[]
}

/** The steps of a run: those that were asked for by their records, all others by the histories of its machines. */
export const stepsOfRun = async (ports: TracePorts, run: Run): Promise<StepsOfRun> => {
  const [{ outline, undoing, asked, machines }, trace, undoTrace] = await Promise.all([
    readAsked(ports, run),
    readTrace(ports, run),
    readUndoTrace(ports, run),
  ])
  const all = seenSteps(outline, statesOf(machines.run), trace)
  const undo = seenSteps(undoing, statesOf(machines.undo), undoTrace).map((step) => ({
    ...step,
    undoes: true as const,
  }))
  const seen = [...all, ...undo].filter((step) => ownKinds.has(step.kind) || isMore(step, asked, run))
  const known = new Set([...asked, ...all].map(({ name }) => name))
  const left = outline.filter(({ name, kind }) => !known.has(name) && (trace.isWhole || !ownKinds.has(kind)))
  return { outline: [...outline, ...undoing], asked, seen, left }
}

type AskedPorts = Pick<TracePorts, 'main' | 'objects' | 'clock'>

/** The same without what its machine alone knows: its host is not asked. */
export const askedSteps = async (ports: AskedPorts, run: Run): Promise<StepsOfRun> => {
  const { outline, undoing, asked } = await readAsked(ports, run)
  const known = new Set(asked.map(({ name }) => name))
  return {
    outline: [...outline, ...undoing],
    asked,
    seen: [],
    left: outline.filter(({ name, kind }) => !known.has(name) && !ownKinds.has(kind)),
  }
}

const readAsked = async (ports: AskedPorts, run: Run) => {
  const [steps, version] = await Promise.all([
    stepsOf(ports, run),
    getVersion(ports, run.tenant, run.workflow, run.version),
  ])
  const { steps: outline, undoing = [], machines } = await loadCompiled(ports, version)
  const now = ports.clock.now()
  const asked = steps.map(({ value }) => asOf(value, now)).filter((step) => !isInward(step))
  return { outline, undoing, asked, machines }
}

/** Between clocks. */
const slackMs = 1000

/** Whether a machine knows more of a step than its records: it is about to ask for it, asks once more, or cannot. */
const isMore = ({ name, state, startedAt, error, cause }: SeenStep, asked: RunStep[], run: Run): boolean => {
  const records = asked.filter((one) => one.name === name && one.startedAt >= startedAt - slackMs)
  if (state === 'PENDING') return true
  if (state === 'RUNNING') return !isOver(run) && records.length === 0
  return state === 'FAILED' && error === evaluationFailed && records.every((one) => one.cause !== cause)
}
const evaluationFailed = 'States.QueryEvaluationError'
