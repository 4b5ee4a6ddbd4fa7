import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { didYouMean } from '../expressions/functions.ts'
import { isExpression } from '../expressions/parse-expression.ts'
import { type Finding, type Path, warning } from '../problem.ts'
import { everyStep } from '../steps.ts'
import { surelyIn } from './check-reach.ts'
import type { Known, Start } from './known.ts'

type PlacedStart = Start & { path: Path }

const startsIn = ({ steps }: Pick<Definition, 'steps'>): PlacedStart[] =>
  everyStep(steps).flatMap(({ step, path }) =>
    step.kind === 'subWorkflow' ? [{ workflow: step.workflow, version: step.version, path }] : [],
  )

/** What a definition starts, but for itself. */
export const startsOf = (definition: Definition): Start[] =>
  startsIn(definition)
    .filter(({ workflow }) => workflow !== definition.workflow)
    .map(({ workflow, version }) => ({ workflow, version }))

/** What a definition starts on every way through it. */
export const sureStartsOf = (definition: Definition): PlacedStart[] =>
  startsIn(definition).filter(({ path }) => surelyIn(path))

/** Warnings: workflows and versions that are started and do not exist, and circles of workflows that start each other. */
export const checkWorkflows = (definition: Definition, known: Known): Finding[] => [
  ...startsIn(definition).flatMap((start) => missing(start, definition.workflow, known)),
  ...sureStartsOf(definition).flatMap((start) => circle(start, definition.workflow, known)),
]

const missing = ({ workflow, version, path }: PlacedStart, own: string, { workflows }: Known): Finding[] => {
  if (workflow === own) return [] // its next version, and aliases to that, are still to come
  const names = [...workflows.keys(), own]
  const stored = workflows.get(workflow)
  if (stored === undefined) {
    const message = `there is no workflow ${workflow}: the step will fail${didYouMean(workflow, names)}`
    return [warning('UNKNOWN_WORKFLOW', [...path, 'workflow'], message)]
  }
  if (version === undefined || isExpression(version) || stored.versions.has(version)) return []
  const message = `workflow ${workflow} has no version or alias ${version}: the step will fail; it has ${stored.has}`
  return [warning('UNKNOWN_VERSION', [...path, 'version'], message)]
}

/** A workflow that starts this one again on every way. */
const circle = ({ workflow, version, path }: PlacedStart, own: string, known: Known): Finding[] => {
  const way = wayTo(own, { workflow, version }, known)
  if (workflow === own || way === undefined) return []
  const message = `${[own, ...way].join(' starts ')} on every way; put one of them into a case of a choice`
  return [warning('ENDLESS', [...path, 'workflow'], message)]
}

/** The workflows that lead from a start to another workflow. */
const wayTo = (
  goal: string,
  { workflow, version = '' }: Start,
  known: Known,
  seen = new Set<string>(),
): string[] | undefined => {
  if (workflow === goal) return [goal]
  if (seen.has(workflow)) return undefined
  seen.add(workflow)
  for (const next of known.workflows.get(workflow)?.versions.get(version)?.starts ?? []) {
    const way = wayTo(goal, next, known, seen)
    if (way) return [workflow, ...way]
  }
  return undefined
}
