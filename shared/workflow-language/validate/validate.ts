import type { Definition } from '#shared/contracts/workflows/definition.ts'
import type { Finding, Problem } from '../problem.ts'
import { readSource, type Source, sourceOf } from '../source/read-source.ts'
import { type Capabilities, checkCapabilities } from './check-capabilities.ts'
import { checkLength } from './check-length.ts'
import { checkMachines } from './check-machines.ts'
import { checkNames } from './check-names.ts'
import { checkReach } from './check-reach.ts'
import { checkReferences } from './check-references.ts'
import { checkShape } from './check-shape.ts'
import { checkSteps } from './check-steps.ts'

/** A definition that may be stored, or none; and everything that is wrong with it, in the order of the text. */
export type Validated = { definition?: Definition; problems: Problem[] }

/** Checks a definition: YAML or JSON as text, or as a value that has no lines; with `capabilities` also who offers them. */
export const validate = (given: string | { value: unknown }, capabilities?: Capabilities): Validated => {
  if (typeof given !== 'string') return check(sourceOf(given.value), capabilities)
  const { source, problems } = readSource(given)
  return problems.length > 0 ? { problems } : check(source, capabilities)
}

const check = (source: Source, capabilities?: Capabilities): Validated => {
  const shape = checkShape(source.value)
  if ('findings' in shape) return { problems: inOrder(shape.findings.map(source.locate)) }
  const { definition } = shape
  const findings: Finding[] = [checkNames, checkSteps, checkReach, checkLength, checkReferences].flatMap((one) =>
    one(definition),
  )
  if (capabilities) findings.push(...checkCapabilities(definition, capabilities))
  if (!findings.some(isError)) findings.push(...checkMachines(definition))
  const problems = inOrder(findings.map(source.locate))
  return { problems, ...(!problems.some(isError) && { definition }) }
}

const isError = ({ severity }: Pick<Problem, 'severity'>): boolean => severity === 'error'

const inOrder = (problems: Problem[]): Problem[] =>
  problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
