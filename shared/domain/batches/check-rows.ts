import type { Platform } from '../../platform/platform.ts'
import type { Caller } from '../caller.ts'
import { checkAt } from '../check-at.ts'
import { inherit } from '../tasks/lineage.ts'
import type { SubmitCommand } from '../tasks/submit-command.ts'
import { type CheckInput, checkSubmit } from '../tasks/submit-task.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>
type Tools = { checkInput: CheckInput; readSubmit: (body: unknown) => SubmitCommand }

/** Refuses what the submit of every row would be refused for, whatever the row: each field by its place in the batch. */
export const checkRows = async (ports: Ports, caller: Caller, task: object, tools: Tools): Promise<void> => {
  const { command, lineage } = await checkAt({ at: '#/task' }, () => inherit(ports, caller, tools.readSubmit(task)))
  const checked = { command, root: lineage?.root ?? '', inputLater: true as const }
  await checkAt({ at: '#/task', names: 'agent' }, () => checkSubmit(ports, caller.tenant, checked, tools.checkInput))
}
