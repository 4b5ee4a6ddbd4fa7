import type { Platform } from '../../platform/platform.ts'
import { DomainError } from '../domain-error.ts'
import { type CheckInput, checkSubmit } from '../tasks/submit-task.ts'
import type { StartedTask } from './schedule-task.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

/** Refuses what a submit would refuse now, each field by its place in the schedule. */
export const checkTask = async (
  ports: Ports,
  { tenant, id, task }: { tenant: string; id: string; task: StartedTask },
  checkInput: CheckInput,
): Promise<void> => {
  try {
    await checkSubmit(ports, tenant, { command: task, root: id }, checkInput)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    const errors = error.errors?.map((one) => ({ ...one, pointer: one.pointer.replace(/^#/, '#/task') }))
    throw new DomainError(error.code, error.message, errors)
  }
}
