import { checkHistory } from '#cli/server/faults/check/check-history.ts'
import type { Finding } from '#cli/server/faults/check/history.ts'
import { idFromKey } from '#shared/domain/ids.ts'
import type { World } from '../world/world.ts'
import { checkCommits } from './check-commits.ts'
import { checkLiveness } from './check-liveness.ts'
import { checkMessages } from './check-messages.ts'
import { checkRecords } from './check-records.ts'
import { checkRuns } from './check-runs.ts'
import { finalTasks } from './final-tasks.ts'

/** Everything that is wrong with what happened in a world, and with what is left of it. */
export const checkWorld = (world: World): Finding[] => [
  ...checkHistory({
    calls: world.calls,
    tasks: finalTasks(world),
    restores: world.restores,
    idOf: ({ key, operation, params }) => {
      const [tenant = '', ...rest] = (key ?? '').split(' ')
      const own = operation === 'retryTask' ? `retry\n${params.task}\n${rest.join(' ')}` : rest.join(' ')
      return key === undefined ? undefined : idFromKey('tsk', tenant, own)
    },
  }),
  ...checkCommits(world),
  ...checkRecords(world),
  ...checkLiveness(world),
  ...world.witnessed,
  ...checkMessages(world),
  ...checkRuns(world),
]
