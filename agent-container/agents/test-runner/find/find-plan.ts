import { splitCommand } from '../split-command.ts'
import { findCargo } from './cargo.ts'
import { findGo } from './go.ts'
import { findJvm } from './jvm.ts'
import { findNode } from './node.ts'
import type { Finder, Plan, Project } from './plan.ts'
import { findPython } from './python.ts'

/** The first that answers is run. */
const finders: Finder[] = [findNode, findPython, findGo, findCargo, findJvm]

const findAll = async (project: Project): Promise<Plan[]> =>
  (await Promise.all(finders.map((find) => find(project)))).filter((plan) => plan !== undefined)

/** The caller's command with what the project needs to be installed; its output is read as text. */
const givenPlan = (command: string | string[], found: Plan | undefined): Plan => ({
  source: 'the task',
  command: typeof command === 'string' ? splitCommand(command) : command,
  install: found?.install ?? [],
  ...(found?.env && { env: found.env }),
})

/** What to run: the task's own command, else the project's. `others` names manifests that were passed over. */
export const findPlan = async (
  project: Project,
  command: string | string[] | undefined,
): Promise<{ plan: Plan | undefined; others: string[] }> => {
  const [first, ...rest] = await findAll(project)
  if (command !== undefined) return { plan: givenPlan(command, first), others: [] }
  return { plan: first, others: rest.map((plan) => plan.source) }
}
