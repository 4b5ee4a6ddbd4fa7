import type { Definition, MapStep, Step } from '#shared/contracts/workflows/definition.ts'
import { codeOf } from '../expressions/parse-expression.ts'
import type { Path } from '../problem.ts'
import { blocksOf, everyStep } from '../steps.ts'
import { offerOf } from './check-capabilities.ts'
import type { Known, Schema } from './known.ts'

/** What is known of a value: the schema that its capability says, in the document `root`, and the way from the result to it. */
export type Output = { capability: string; schema: Schema; root: Schema; way: string }
export type Outputs = ReadonlyMap<string, Output>

/**
 * A step with its place, and what is known of the variables that its expressions look at. `row`: the variable that is
 * its input when it says none.
 */
export type KnowingStep = { step: Step; path: Path; outputs: Outputs; row?: string }

/** Every step of a definition. */
export const knowingSteps = ({ steps }: Definition, known: Known): KnowingStep[] =>
  stepsWith(steps, { path: ['steps'], outputs: outputsOf(steps, known) })

/** In a map an item is known as well. */
const stepsWith = (steps: Step[], { path, outputs, row }: Omit<KnowingStep, 'step'>): KnowingStep[] =>
  steps.flatMap((step, at) => {
    const here = [...path, at]
    const inside = step.kind === 'map' ? withItem(step, outputs) : outputs
    const isDistributed = step.kind === 'map' && step.distributed === true
    const inner = { outputs: inside, row: isDistributed ? (step.as ?? 'item') : undefined }
    return [
      { step, path: here, outputs: isDistributed ? inside : outputs, row },
      ...blocksOf(step).flatMap((block) => stepsWith(block.steps, { ...inner, path: [...here, ...block.path] })),
    ]
  })

/** Of those that answer the result of an agent as it is, and of maps of them. */
const outputsOf = (steps: Step[], known: Known): Map<string, Output> =>
  new Map(
    everyStep(steps).flatMap(({ step }) => {
      const output = outputOf(step, known)
      return output === undefined ? [] : [[step.name, output] as const]
    }),
  )

const outputOf = (step: Step, known: Known): Output | undefined => {
  if (('output' in step && step.output !== undefined) || ('catch' in step && step.catch !== undefined)) return undefined
  if (step.kind === 'map') {
    const last = step.itemsFrom === undefined ? step.steps.at(-1) : undefined
    const each = last && outputOf(last, known)
    return each && { ...each, schema: { type: 'array', items: each.schema } }
  }
  const found = step.kind === 'task' ? offerOf(step, known) : undefined
  const schema = found?.offer.outputSchema
  return found && schema && { capability: found.name, schema, root: schema, way: 'result' }
}

/** The item of a map is of the list that its items name, or nothing is known of it. */
const withItem = ({ as = 'item', items }: MapStep, outputs: Outputs): Outputs => {
  const list = outputAt(items, outputs)
  const each = list?.schema.items as Schema | undefined
  const item = list && each && { ...list, schema: each, way: `${list.way}[]` }
  return new Map([...[...outputs].filter(([name]) => name !== as), ...(item ? [[as, item] as const] : [])])
}

/** Nothing but a variable, and names below it. */
const directPath = /^\s*\$([A-Za-z]\w*)((?:\.[A-Za-z_]\w*)*)\s*$/

type At = Output & { inList: boolean }

/** What is known of what an expression gives, of one that is a variable and fields below it; `inList`: of each of a list. */
export const outputAt = (value: unknown, outputs: Outputs): At | undefined => {
  const [, name = '', below = ''] = directPath.exec(typeof value === 'string' ? (codeOf(value) ?? '') : '') ?? []
  const start = outputs.get(name)
  const found = start && walk(start, below.split('.').slice(1))
  return found && 'schema' in found ? found : undefined
}

/** JSONata looks at a field of a list in each of its items. */
const throughLists = (schema: Schema | undefined): Schema | undefined =>
  schema?.type === 'array' ? throughLists(schema.items as Schema | undefined) : schema

const fieldNames = (schema: Schema | undefined): string[] | undefined => {
  const { properties, additionalProperties = false, patternProperties } = schema ?? {}
  const isOpen = additionalProperties !== false || patternProperties !== undefined
  return properties !== null && typeof properties === 'object' && !isOpen ? Object.keys(properties) : undefined
}

type Found = At | { missing: string; way: string; names: string[] } | undefined

/** The schema behind fields, or which of them is not there. */
export const walk = (start: Output, fields: string[]): Found => {
  let [at, inList]: [Output, boolean] = [start, false]
  for (const field of fields) {
    const schema = throughLists(at.schema)
    const names = fieldNames(schema)
    if (schema === undefined || names === undefined) return undefined
    if (!names.includes(field)) return { missing: field, way: at.way, names }
    inList ||= schema !== at.schema
    at = { ...at, schema: (schema.properties as Record<string, Schema>)[field] ?? {}, way: `${at.way}.${field}` }
  }
  return { ...at, inList }
}
