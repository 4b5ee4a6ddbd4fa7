import type { Definition } from '#shared/contracts/workflows/definition.ts'
import type { Finding, Problem } from '../problem.ts'
import { readSource, type Source, sourceOf } from '../source/read-source.ts'
import { checkAgents } from './check-agents.ts'
import { checkCapabilities } from './check-capabilities.ts'
import { checkFields } from './check-fields.ts'
import { checkInputSchema } from './check-input-schema.ts'
import { checkInputs } from './check-inputs.ts'
import { checkLeftOut } from './check-left-out.ts'
import { checkLength } from './check-length.ts'
import { checkMachines } from './check-machines.ts'
import { checkNames } from './check-names.ts'
import { checkNumbers } from './check-numbers.ts'
import { checkQueues } from './check-queues.ts'
import { checkReach } from './check-reach.ts'
import { checkReferences } from './check-references.ts'
import { checkShape } from './check-shape.ts'
import { checkSteps } from './check-steps.ts'
import { checkWorkflows } from './check-workflows.ts'
import type { Known } from './known.ts'

/** A definition that may be stored, or none; and everything that is wrong with it, in the order of the text. */
export type Validated = { definition?: Definition; problems: Problem[] }

/** Checks a definition: YAML or JSON as text, or as a value that has no lines; with what is `known` also what it names. */
export const validate = (given: string | { value: unknown }, known?: Known): Validated => {
  if (typeof given !== 'string') return check(sourceOf(given.value), known)
  const { source, problems } = readSource(given)
  return problems.length > 0 ? { problems } : check(source, known)
}

const checks = [checkNames, checkNumbers, checkInputSchema, checkSteps, checkReach, checkLength, checkReferences]
/** Of what there is besides a definition. */
const namedChecks = [checkAgents, checkCapabilities, checkQueues, checkWorkflows, checkFields, checkInputs]

const check = (source: Source, known?: Known): Validated => {
  const { definition, findings: wrong, lost, leftOut } = checkShape(source.value)
  const findings = [...wrong, ...checkLeftOut(source.value, leftOut)]
  const problemsOf = (found: Finding[]): Problem[] => inOrder(found.map(source.locate))
  if (definition === undefined) return { problems: problemsOf(findings) }
  const found: Finding[] = checks.flatMap((one) => one(definition, lost))
  if (findings.length > 0) return { problems: problemsOf([...findings, ...found.filter(isError)]) } // a warning may be of what is left out
  if (known) found.push(...namedChecks.flatMap((one) => one(definition, known)))
  if (!found.some(isError)) found.push(...checkMachines(definition))
  return { problems: problemsOf(found), ...(!found.some(isError) && { definition }) }
}

const isError = ({ severity }: Finding): boolean => severity === 'error'

const inOrder = (problems: Problem[]): Problem[] =>
  problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
