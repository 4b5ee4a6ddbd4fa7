import { readdirSync, readFileSync } from 'node:fs'
import { undoNameOf } from '#shared/domain/workflows/workflow.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'

const folder = new URL('../workflows/', import.meta.url)

export type ShippedWorkflow = {
  name: string
  source: string
  /** What it is compiled to: the machine of its runs, and the one that undoes. */
  machines: { name: string; definition: string }[]
}

/** The definitions of `workflows/`, compiled; one that is not valid ends the synthesis. */
export const shippedWorkflows = (): ShippedWorkflow[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => compiled(file, readFileSync(new URL(file, folder), 'utf8')))

const compiled = (file: string, source: string): ShippedWorkflow => {
  const { definition, problems } = validate(source)
  const [problem] = problems
  if (definition === undefined) throw new Error(`workflows/${file}:${problem?.line}: ${problem?.message}`)
  const { workflow: name } = definition
  const { run, undo } = compileWorkflow(definition).machines
  const undoing = undo === undefined ? [] : [{ name: undoNameOf(name), definition: JSON.stringify(undo) }]
  return { name, source, machines: [{ name, definition: JSON.stringify(run) }, ...undoing] }
}
