import type { Situation, Why } from './cause.ts'
import { dispatching, queuedCauses } from './queued-causes.ts'
import { settledCauses } from './settled-causes.ts'

/** The one cause, never a list of maybes. */
export const explain = (situation: Situation): Why => {
  for (const cause of [...settledCauses, ...queuedCauses]) {
    const why = cause(situation)
    if (why) return why
  }
  return dispatching(situation)
}
