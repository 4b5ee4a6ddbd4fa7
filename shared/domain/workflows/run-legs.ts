import type { RunDescription, RunRef } from '../../platform/platform.ts'
import type { Run } from './run.ts'

/**
 * A run whose loops have more rounds than an execution of its machine has events for goes on in further executions: its
 * legs. The machine is given where it goes on, and answers the output of the run, or what the next leg is given.
 */
type Named = Pick<Run, 'tenant' | 'workflow' | 'id' | 'leg'>

/** The execution that a run is in, or one that it was in. */
export const machineOf = ({ tenant, workflow, id, leg = 0 }: Named, at: number = leg): RunRef => ({
  tenant,
  workflow,
  run: at === 0 ? id : `${id}.${at}`,
})

/** The run that an execution is of. */
export const parseExecution = (name: string): { id: string; leg: number } => {
  const [id = '', leg = '0'] = name.split('.')
  return { id, leg: Number(leg) }
}

/** What the first execution is given. */
export const firstInput = ({ id, leg, startedAt }: Run, input: unknown): unknown =>
  leg === undefined ? input : { input: input ?? null, run: id, startedAt: new Date(startedAt).toISOString() }

type Seen = Pick<RunDescription, 'status' | 'output'>
type Answer = { output?: unknown; further?: unknown }

const answerOf = ({ leg }: Run, { status, output }: Seen): Answer =>
  status === 'SUCCEEDED' && leg !== undefined ? ((output ?? {}) as Answer) : { output }

/** What the next leg is given, where an execution has ended for one. */
export const furtherOf = (run: Run, seen: Seen): unknown => answerOf(run, seen).further
/** The output of a run in what its machine has answered. */
export const outputOf = (run: Run, seen: Seen): unknown => answerOf(run, seen).output

/** When the time of a run with several legs is over; before that its machine knows. */
export const endOfTime = ({ timeoutSeconds, startedAt, redrivenAt = startedAt }: Run): number =>
  timeoutSeconds === undefined ? Number.POSITIVE_INFINITY : redrivenAt + timeoutSeconds * 1000

/** A look that comes so long before the end of the time asks for one that is exact. */
const nearMs = 600_000

/** When a run is looked at next, `ms` from now on at most: in time for its end. */
export const nextLook = (run: Run, now: number, ms: number): number => {
  const left = endOfTime(run) - now
  if (left <= 0) return now + ms
  return now + Math.min(ms, left > nearMs ? left - nearMs / 2 : left)
}
