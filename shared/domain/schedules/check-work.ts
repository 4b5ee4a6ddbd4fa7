import type { Platform } from '../../platform/platform.ts'
import { checkAt } from '../check-at.ts'
import { type CheckInput, checkSubmit } from '../tasks/submit-task.ts'
import { checkStart } from '../workflows/start-run.ts'
import type { Work } from './schedule-task.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

/** Refuses what a submit, or the start of a run, would refuse now, each field by its place in the schedule. */
export const checkWork = async (
  ports: Ports,
  { tenant, id, work }: { tenant: string; id: string; work: Work },
  checkInput: CheckInput,
): Promise<void> => {
  const { task, run } = work
  if (task !== undefined)
    await checkAt({ at: '#/task', names: 'agent' }, () =>
      checkSubmit(ports, tenant, { command: task, root: id }, checkInput),
    )
  if (run !== undefined) await checkAt({ at: '#/run' }, () => checkStart(ports, tenant, run, checkInput))
}
