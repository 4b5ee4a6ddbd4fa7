import type { Definition } from '#shared/contracts/workflows/definition.ts'
import type { Finding, Problem } from '../problem.ts'
import { readSource, type Source, sourceOf } from '../source/read-source.ts'
import { checkNames } from './check-names.ts'
import { checkReach } from './check-reach.ts'
import { checkReferences } from './check-references.ts'
import { checkShape } from './check-shape.ts'
import { checkSteps } from './check-steps.ts'

/** A definition that may be stored, or none; and everything that is wrong with it, in the order of the text. */
export type Validated = { definition?: Definition; problems: Problem[] }

/** Checks a definition: YAML or JSON as text, or as a value that has no lines. */
export const validate = (given: string | { value: unknown }): Validated => {
  if (typeof given !== 'string') return check(sourceOf(given.value))
  const { source, problems } = readSource(given)
  return problems.length > 0 ? { problems } : check(source)
}

const check = (source: Source): Validated => {
  const shape = checkShape(source.value)
  if ('findings' in shape) return { problems: inOrder(shape.findings.map(source.locate)) }
  const { definition } = shape
  const findings: Finding[] = [checkNames, checkSteps, checkReach, checkReferences].flatMap((one) => one(definition))
  const problems = inOrder(findings.map(source.locate))
  return { problems, ...(!problems.some(({ severity }) => severity === 'error') && { definition }) }
}

const inOrder = (problems: Problem[]): Problem[] =>
  problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
