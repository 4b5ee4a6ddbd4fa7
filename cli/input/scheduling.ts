import type { SubmitTask } from '#shared/contracts/tasks.ts'
import { parseLabels } from './task-input.ts'

export type SchedulingOptions = {
  runAt?: string
  deadline?: string
  fairnessKey?: string
  affinityKey?: string
  requireLabel?: string[]
  requireVersion?: string
  resourceClass?: string
}

/** When, where and in whose turn a task is to run, as options say it. */
export const schedulingOf = (
  options: SchedulingOptions,
): Pick<SubmitTask, 'runAt' | 'deadline' | 'fairnessKey' | 'affinityKey' | 'requirements'> => {
  const { runAt, deadline, fairnessKey, affinityKey, requireLabel, requireVersion, resourceClass } = options
  const labels = requireLabel && parseLabels(requireLabel, '--require-label')
  const requirements = { labels, version: requireVersion, resourceClass }
  const some = Object.values(requirements).some((one) => one !== undefined)
  return { runAt, deadline, fairnessKey, affinityKey, ...(some && { requirements }) }
}
