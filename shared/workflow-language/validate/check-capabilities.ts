import type { Definition, Step, Work } from '#shared/contracts/workflows/definition.ts'
import { textsOf } from '../expressions/every-expression.ts'
import { didYouMean } from '../expressions/functions.ts'
import { isExpression, parseExpression } from '../expressions/parse-expression.ts'
import { type Finding, type Path, warning } from '../problem.ts'
import { everyStep } from '../steps.ts'

type Schema = Record<string, unknown>
/** What the agents that offer a capability say of it; a capability that nobody offers is not there. */
export type Capabilities = ReadonlyMap<string, { inputSchema?: Schema; outputSchema?: Schema }>

type Placed = { work: Work; path: Path; step: Step }

const worksOf = (definition: Definition): Placed[] =>
  everyStep(definition.steps).flatMap(({ step, path }): Placed[] => {
    if (step.kind === 'task') return [{ work: step, path, step }]
    if (step.kind !== 'vote') return []
    return step.voters.map((work, at) => ({ work, path: [...path, 'voters', at], step }))
  })

/** The capabilities that a definition asks for. */
export const capabilitiesOf = (definition: Definition): string[] => [
  ...new Set(worksOf(definition).flatMap(({ work }) => work.capability ?? [])),
]

/** Warnings: capabilities that nobody offers, and inputs and outputs that do not fit what agents say of theirs. */
export const checkCapabilities = (definition: Definition, known: Capabilities): Finding[] => {
  const outputs = outputsOf(definition, known)
  return [
    ...worksOf(definition).flatMap((placed) => [...unknownOf(placed, known), ...inputOf(placed, known)]),
    ...everyStep(definition.steps).flatMap(({ step, path }) => fieldsOf(step, path, outputs)),
  ]
}

const unknownOf = ({ work, path }: Placed, known: Capabilities): Finding[] =>
  work.capability === undefined || known.has(work.capability)
    ? []
    : [
        warning(
          'UNKNOWN_CAPABILITY',
          [...path, 'capability'],
          `nobody offers ${work.capability}: its task will wait${didYouMean(work.capability, known.keys())}`,
        ),
      ]

const fieldNames = (schema: Schema | undefined): string[] | undefined => {
  const properties = schema?.properties
  return properties !== null && typeof properties === 'object' ? Object.keys(properties) : undefined
}

/** Fields that are missing, or that the agent does not take; what expressions bring is only known when they run. */
const inputOf = ({ work: { capability, input }, path, step }: Placed, known: Capabilities): Finding[] => {
  const schema = known.get(capability ?? '')?.inputSchema
  if (schema === undefined || isExpression(input) || (input === undefined && isRow(step))) return []
  const given = input !== null && typeof input === 'object' && !Array.isArray(input) ? Object.keys(input) : undefined
  if (given === undefined) return []
  const required = Array.isArray(schema.required) ? (schema.required as string[]) : []
  const missing = required.filter((field) => !given.includes(field))
  const taken = schema.additionalProperties === false ? fieldNames(schema) : undefined
  return [
    ...missing.map((field) =>
      warning('SCHEMA_MISMATCH', [...path, 'input'], `${capability} needs ${field} in its input`),
    ),
    ...given
      .filter((field) => taken !== undefined && !taken.includes(field))
      .map((field) =>
        warning(
          'SCHEMA_MISMATCH',
          [...path, 'input', field],
          `${capability} takes no ${field}${didYouMean(field, taken ?? [])}`,
        ),
      ),
  ]
}

/** Without an input it gets the item of a distributed map. */
const isRow = (step: Step): boolean => step.kind === 'task' && step.input === undefined

/** What is known of the outputs of steps: of those that answer the result of an agent as it is. */
const outputsOf = ({ steps }: Definition, known: Capabilities): Map<string, { capability: string; schema: Schema }> =>
  new Map(
    everyStep(steps).flatMap(({ step }) => {
      if (step.kind !== 'task' || step.output !== undefined || step.catch !== undefined) return []
      const schema = known.get(step.capability ?? '')?.outputSchema
      return schema === undefined ? [] : [[step.name, { capability: step.capability ?? '', schema }] as const]
    }),
  )

/** Expressions that look at a field which the agent does not answer. */
const fieldsOf = (step: Step, path: Path, outputs: ReturnType<typeof outputsOf>): Finding[] => {
  const { before, after } = textsOf(step)
  return [...before, ...after].flatMap(({ text, path: inside }) => {
    const parsed = isExpression(text) ? parseExpression(text) : undefined
    if (parsed === undefined || 'problem' in parsed) return []
    return parsed.references.flatMap(({ name, fields, offset }) => {
      const output = outputs.get(name)
      const message = output && unknownField(output.capability, output.schema, fields)
      return message === undefined ? [] : [{ ...warning('SCHEMA_MISMATCH', [...path, ...inside], message), offset }]
    })
  })
}

const unknownField = (capability: string, schema: Schema, fields: string[]): string | undefined => {
  let [at, way]: [Schema | undefined, string] = [schema, 'result']
  for (const field of fields) {
    const names = fieldNames(at)
    if (names === undefined || at?.additionalProperties === true) return undefined
    if (!names.includes(field))
      return `the ${way} of ${capability} has no ${field}; it has ${names.join(', ')}${didYouMean(field, names)}`
    at = ((at?.properties ?? {}) as Record<string, Schema>)[field]
    way = `${way}.${field}`
  }
  return undefined
}
