import type { Call, FinalCauses, FinalTask, Finding } from './history.ts'

type Options = {
  /** Of `startRun`, that were accepted and not taken back. */
  accepted: Call[]
  causes: FinalCauses
  tasks: FinalTask[]
}

const lost = ({ accepted, causes, tasks }: Options): Finding[] => {
  const ids = new Set(tasks.map(({ id }) => id))
  const runs = new Set(accepted.flatMap(({ answer }) => answer?.run ?? []))
  return [
    ...causes.told
      .filter(({ task }) => !ids.has(task))
      .map(({ task, by }): Finding => ({ column: 'lost', task, message: `${by} made ${task}, which is not there` })),
    ...[...runs]
      .filter((id) => !causes.runs.has(id))
      .map((id): Finding => ({ column: 'lost', message: `${id} was accepted and is not there` })),
  ]
}

const duplicated = ({ causes, tasks }: Options): Finding[] => {
  const made = Map.groupBy(
    tasks.filter(({ schedule }) => schedule !== undefined),
    ({ schedule = '' }) => schedule,
  )
  return [...causes.starts]
    .filter(([id, starts]) => (made.get(id)?.length ?? 0) > starts)
    .map(
      ([id, starts]): Finding => ({
        column: 'duplicated',
        message: `${id} says that it started ${starts}, and ${made.get(id)?.length} tasks are of it`,
      }),
    )
}

/** What is wrong with what made tasks by itself: subscriptions, schedules and runs. */
export const checkCauses = (options: Options): Finding[] => [...lost(options), ...duplicated(options)]
