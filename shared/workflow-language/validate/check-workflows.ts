import type { Definition, Step } from '#shared/contracts/workflows/definition.ts'
import { didYouMean } from '../expressions/functions.ts'
import { type Finding, type Path, warning } from '../problem.ts'
import { everyStep } from '../steps.ts'

type Placed = { workflow: string; path: Path }

const subWorkflowsOf = (steps: Step[]): Placed[] =>
  everyStep(steps).flatMap(({ step, path }) =>
    step.kind === 'subWorkflow' ? [{ workflow: step.workflow, path: [...path, 'workflow'] }] : [],
  )

/** The workflows that a definition starts, but for itself. */
export const workflowsOf = ({ workflow: own, steps }: Definition): string[] => [
  ...new Set(subWorkflowsOf(steps).flatMap(({ workflow }) => (workflow === own ? [] : workflow))),
]

/** Warnings: workflows that are started and do not exist. */
export const checkWorkflows = (definition: Definition, known: ReadonlySet<string>): Finding[] => {
  const names = [...known, definition.workflow]
  return subWorkflowsOf(definition.steps).flatMap(({ workflow, path }) =>
    names.includes(workflow)
      ? []
      : [
          warning(
            'UNKNOWN_WORKFLOW',
            path,
            `there is no workflow ${workflow}: the step will fail${didYouMean(workflow, names)}`,
          ),
        ],
  )
}
