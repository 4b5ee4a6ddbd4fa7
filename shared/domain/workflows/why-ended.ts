import type { Platform, RunDescription } from '../../platform/platform.ts'
import { timeoutOf } from './go-further.ts'
import { lateOf, tookLonger, whyLate } from './late-step.ts'
import { inOwnWords } from './own-words.ts'
import type { EndState, Run, RunStep } from './run.ts'
import { stepsOf } from './run-store.ts'
import { timedOut } from './stop-run.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'clock'>
type Ended = Pick<RunDescription, 'error' | 'cause' | 'stoppedAt'> & { state: EndState }

/** Why a run has ended, and the step that took too long, where it has for that: machines say that one did, not which. */
export const whyEnded = async (
  ports: Ports,
  run: Run,
  { state, error, cause, stoppedAt = ports.clock.now() }: Ended,
): Promise<{ error?: string; cause?: string; late?: RunStep }> => {
  if (state === 'TIMED_OUT') return { error: 'TIMEOUT', cause: await whyTimedOut(ports, run) }
  if (error !== timedOut.error) return { error, cause: cause && inOwnWords(cause) }
  const steps = (await stepsOf(ports, run)).map(({ value }) => value)
  const late = lateOf(steps, stoppedAt)
  return { error: 'TIMEOUT', cause: late && whyLate(late), late }
}

const whyTimedOut = async (ports: Ports, run: Run): Promise<string | undefined> => {
  const seconds = run.timeoutSeconds ?? (await timeoutOf(ports, run))
  return seconds === undefined ? undefined : tookLonger(`run ${run.id}`, seconds)
}
