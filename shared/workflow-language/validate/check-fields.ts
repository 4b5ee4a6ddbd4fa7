import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { textsOf } from '../expressions/every-expression.ts'
import { didYouMean } from '../expressions/functions.ts'
import { isExpression, parseExpression } from '../expressions/parse-expression.ts'
import { type Finding, warning } from '../problem.ts'
import type { Known } from './known.ts'
import { type KnowingStep, knowingSteps, type Output, walk } from './step-outputs.ts'

/** Warnings: expressions that look at a field which the agent does not answer. */
export const checkFields = (definition: Definition, known: Known): Finding[] =>
  knowingSteps(definition, known).flatMap(fieldsOf)

const fieldsOf = ({ step, path, outputs }: KnowingStep): Finding[] => {
  const { before, after } = textsOf(step)
  return [...before, ...after].flatMap(({ text, path: inside }) => {
    const parsed = isExpression(text) ? parseExpression(text) : undefined
    if (parsed === undefined || 'problem' in parsed) return []
    return parsed.references.flatMap(({ name, fields, offset }) => {
      const output = outputs.get(name)
      const message = output && unknownField(output, fields)
      return message === undefined ? [] : [{ ...warning('SCHEMA_MISMATCH', [...path, ...inside], message), offset }]
    })
  })
}

const unknownField = (output: Output, fields: string[]): string | undefined => {
  const found = walk(output, fields)
  if (found === undefined || 'schema' in found) return undefined
  const { missing, way, names } = found
  return `the ${way} of ${output.capability} has no ${missing}; it has ${names.join(', ')}${didYouMean(missing, names)}`
}
