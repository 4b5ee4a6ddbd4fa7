import type { Definition, MapStep, Step } from '#shared/contracts/workflows/definition.ts'
import { textsOf } from '../expressions/every-expression.ts'
import { didYouMean } from '../expressions/functions.ts'
import { isExpression, parseExpression } from '../expressions/parse-expression.ts'
import { type Finding, type Path, warning } from '../problem.ts'
import { blocksOf, everyStep } from '../steps.ts'
import { type PlacedWork, worksOf } from './works-of.ts'

type Schema = Record<string, unknown>
/** What the agents that offer a capability say of it; a capability that nobody offers is not there. */
export type Capabilities = ReadonlyMap<string, { inputSchema?: Schema; outputSchema?: Schema }>

/** The capabilities that a definition asks for. */
export const capabilitiesOf = (definition: Definition): string[] => [
  ...new Set(worksOf(definition).flatMap(({ work }) => work.capability ?? [])),
]

/** Warnings: capabilities that nobody offers, and inputs and outputs that do not fit what agents say of theirs. */
export const checkCapabilities = (definition: Definition, known: Capabilities): Finding[] => {
  return [
    ...worksOf(definition).flatMap((placed) => [...unknownOf(placed, known), ...inputOf(placed, known)]),
    ...fieldsIn(definition.steps, ['steps'], outputsOf(definition.steps, known)),
  ]
}

const unknownOf = ({ work, path }: PlacedWork, known: Capabilities): Finding[] =>
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
const inputOf = ({ work: { capability, input }, path, step }: PlacedWork, known: Capabilities): Finding[] => {
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

/** What is known of a value: the schema that its capability says, and the way from the result to it. */
type Known = { capability: string; schema: Schema; way: string }
type KnownNames = ReadonlyMap<string, Known>

/** What is known of the outputs of steps: of those that answer the result of an agent as it is, and of maps of them. */
const outputsOf = (steps: Step[], known: Capabilities): Map<string, Known> =>
  new Map(
    everyStep(steps).flatMap(({ step }) => {
      const output = outputOf(step, known)
      return output === undefined ? [] : [[step.name, output] as const]
    }),
  )

const outputOf = (step: Step, known: Capabilities): Known | undefined => {
  if (('output' in step && step.output !== undefined) || ('catch' in step && step.catch !== undefined)) return undefined
  if (step.kind === 'map') {
    const last = step.steps.at(-1)
    const each = last && outputOf(last, known)
    return each && { ...each, schema: { type: 'array', items: each.schema } }
  }
  if (step.kind !== 'task') return undefined
  const schema = known.get(step.capability ?? '')?.outputSchema
  return schema && { capability: step.capability ?? '', schema, way: 'result' }
}

/** Expressions that look at a field which the agent does not answer; in a map also by its item. */
const fieldsIn = (steps: Step[], path: Path, names: KnownNames): Finding[] =>
  steps.flatMap((step, at) => [
    ...fieldsOf(step, [...path, at], step.kind === 'map' && step.distributed ? withItem(step, names) : names),
    ...blocksOf(step).flatMap((block) =>
      fieldsIn(block.steps, [...path, at, ...block.path], step.kind === 'map' ? withItem(step, names) : names),
    ),
  ])

/** The item of a map is of the list that its items name, or nothing is known of it. */
const withItem = ({ as = 'item', items }: MapStep, names: KnownNames): KnownNames => {
  const item = itemOf(items, names)
  return new Map([...[...names].filter(([name]) => name !== as), ...(item ? [[as, item] as const] : [])])
}

const itemOf = (items: unknown, names: KnownNames): Known | undefined => {
  const parsed = isExpression(items) ? parseExpression(items) : undefined
  if (parsed === undefined || 'problem' in parsed || parsed.path === undefined) return undefined
  const list = names.get(parsed.path.name)
  const found = list && walk(list, parsed.path.fields)
  const inner = found && 'schema' in found ? (found.schema?.items as Schema | undefined) : undefined
  return (
    list &&
    inner && { capability: list.capability, schema: inner, way: `${[list.way, ...parsed.path.fields].join('.')}[]` }
  )
}

const fieldsOf = (step: Step, path: Path, names: KnownNames): Finding[] => {
  const { before, after } = textsOf(step)
  return [...before, ...after].flatMap(({ text, path: inside }) => {
    const parsed = isExpression(text) ? parseExpression(text) : undefined
    if (parsed === undefined || 'problem' in parsed) return []
    return parsed.references.flatMap(({ name, fields, offset }) => {
      const output = names.get(name)
      const message = output && unknownField(output, fields)
      return message === undefined ? [] : [{ ...warning('SCHEMA_MISMATCH', [...path, ...inside], message), offset }]
    })
  })
}

/** JSONata looks at a field of a list in each of its items. */
const throughLists = (schema: Schema | undefined): Schema | undefined =>
  schema?.type === 'array' ? throughLists(schema.items as Schema | undefined) : schema

/** The schema behind fields, or which of them is not there. */
const walk = (
  { schema, way: start }: Known,
  fields: string[],
): { schema: Schema | undefined } | { missing: string; way: string; names: string[] } => {
  let [at, way]: [Schema | undefined, string] = [schema, start]
  for (const field of fields) {
    at = throughLists(at)
    const names = fieldNames(at)
    if (names === undefined || at?.additionalProperties === true) return { schema: undefined }
    if (!names.includes(field)) return { missing: field, way, names }
    at = ((at?.properties ?? {}) as Record<string, Schema>)[field]
    way = `${way}.${field}`
  }
  return { schema: at }
}

const unknownField = (known: Known, fields: string[]): string | undefined => {
  const found = walk(known, fields)
  if ('schema' in found) return undefined
  const { missing, way, names } = found
  return `the ${way} of ${known.capability} has no ${missing}; it has ${names.join(', ')}${didYouMean(missing, names)}`
}
