import type { Platform } from '../../platform/platform.ts'
import { DomainError } from '../domain-error.ts'
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
  try {
    if (task !== undefined) await checkSubmit(ports, tenant, { command: task, root: id }, checkInput)
    if (run !== undefined) await checkStart(ports, tenant, run, checkInput)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    const place = task === undefined ? '#/run' : '#/task'
    const errors = error.errors?.map((one) => ({ ...one, pointer: one.pointer.replace(/^#/, place) }))
    throw new DomainError(error.code, error.message, errors)
  }
}
