import type { Finding } from '#cli/server/faults/check/history.ts'
import { isOver, type Run, type RunStep } from '#shared/domain/workflows/run.ts'
import type { Frame, Head } from '#shared/platform/embedded/workflows/execution.ts'
import type { Commit } from '../engine/table.ts'

type Change<V> = { before?: V; after?: V }

const changeOf = <V>({ before, after }: Commit): Change<V> => ({
  before: before?.value as V | undefined,
  after: after?.value as V | undefined,
})
const tokenOf = (frame: Frame | undefined): string | undefined =>
  frame?.phase.kind === 'task' ? frame.phase.token : undefined

const endOf = ({ state, output, error, cause, finishedAt }: RunStep): string =>
  JSON.stringify([state, output, error, cause, finishedAt])
const undoneOf = ({ undone }: Run): string => JSON.stringify(undone)

/** Watches every change of runs, of their steps and of their machines at the moment when it is made. */
export const createRunWatch = ({ place, findings }: { place: () => number; findings: Finding[] }) => {
  /** When a machine went on from a step that waited for the answer to a token. */
  const closed = new Map<string, number>()
  const tell = (column: Finding['column'], message: string): void => void findings.push({ column, message })

  /** What came of a step is recorded once. */
  const step = ({ before, after }: Change<RunStep>): void => {
    if (before === undefined || after === undefined || before.state === 'RUNNING') return
    if (endOf(before) !== endOf(after))
      tell('duplicated', `step ${after.name} of ${after.run} is ${endOf(after)} after it was ${endOf(before)}`)
  }
  /** A run ends once, unless somebody sets it going again; what was undone is recorded once. */
  const run = ({ before, after }: Change<Run>): void => {
    if (before === undefined || after === undefined) return
    if (before.undone !== undefined && undoneOf(before) !== undoneOf(after))
      tell('duplicated', `run ${after.id} undid ${undoneOf(after)} after ${undoneOf(before)}`)
    const isRedriven = after.redrives > before.redrives
    if (isOver(before) && !isRedriven && before.state !== after.state)
      tell('illegal_transition', `run ${after.id} is ${after.state} after it was ${before.state}`)
  }
  const head = ({ before, after }: Change<Head>): void => {
    if (before?.stoppedAt === undefined || after === undefined || after.redrives > before.redrives) return
    if (before.status !== after.status || before.stoppedAt !== after.stoppedAt)
      tell('duplicated', `the machine of run ${after.run} is ${after.status} after it was ${before.status}`)
  }
  const frame = ({ before, after }: Change<Frame>): void => {
    const token = tokenOf(before)
    if (token !== undefined && token !== tokenOf(after)) closed.set(token, place())
  }
  const events = ({ key, before, after }: Commit): void => {
    if (before && after && JSON.stringify(before.value) !== JSON.stringify(after.value))
      tell('duplicated', `events of ${key.pk} at ${key.sk} were written twice, and differ`)
  }
  return {
    closed,
    follow(commit: Commit): void {
      if (commit.type === 'run-step') step(changeOf(commit))
      else if (commit.type === 'run') run(changeOf(commit))
    },
    followMachine(commit: Commit): void {
      if (commit.type === 'frame') frame(changeOf(commit))
      else if (commit.type === 'run') head(changeOf(commit))
      else if (commit.type === 'run-events') events(commit)
    },
    /** What machines had gone on from is to be gone on from again. */
    restored: (): void => closed.clear(),
  }
}
export type RunWatch = ReturnType<typeof createRunWatch>
