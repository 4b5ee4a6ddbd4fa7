import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { everyText } from '../expressions/every-expression.ts'
import { codeOf } from '../expressions/parse-expression.ts'
import { type Finding, keysOf, type Path, warning } from '../problem.ts'
import { offerOf } from './check-capabilities.ts'
import type { Known, Schema } from './known.ts'
import { type Misfit, misfitsOf } from './misfits.ts'
import { anything, shapeOf, shapeOfValue } from './shape-of.ts'
import { type KnowingStep, knowingSteps, type Outputs, outputAt } from './step-outputs.ts'
import { worksIn } from './works-of.ts'

/** An input, where it stands, and who takes it by which schema. */
type Given = { input: unknown; path: Path; outputs: Outputs; taker: string; schema?: Schema }

/** Warnings: inputs that do not fit what they are for, as far as that is certain before a run. */
export const checkInputs = (definition: Definition, known: Known): Finding[] =>
  knowingSteps(definition, known)
    .flatMap((knowing) => givenIn(knowing, known))
    .flatMap((given) => findingsOf(given, known))

const givenIn = ({ step, path, outputs, row }: KnowingStep, known: Known): Given[] => {
  if (step.kind === 'subWorkflow') {
    const { workflow, version = '', input } = step
    const stored = known.workflows.get(workflow)?.versions.get(version)
    return [{ input, path: [...path, 'input'], outputs, taker: `workflow ${workflow}`, schema: stored?.input }]
  }
  return worksIn(step, path).map(({ work, path: place }) => {
    const { name = '', offer } = offerOf(work, known) ?? {}
    const input = work.input === undefined && row !== undefined ? `{% $${row} %}` : work.input
    return { input, path: [...place, 'input'], outputs, taker: name, schema: offer?.inputSchema }
  })
}

const findingsOf = ({ input = null, path, outputs, taker, schema }: Given, { checkInput }: Known): Finding[] => {
  if (schema === undefined) return []
  const shape = shapeOfValue(input, (value) => shapeOfExpression(value, outputs))
  const certain = misfitsOf(shape, shapeOf(schema))
  const found = certain.length > 0 || !isLiteral(input) ? certain : misfitsOfValue(input, schema, checkInput)
  return found.map(({ way, message }) =>
    warning('SCHEMA_MISMATCH', [...path, ...written(way, input)], `${taker} ${message}`),
  )
}

const shapeOfExpression = (value: unknown, outputs: Outputs) => {
  if (typeof value !== 'string' || codeOf(value) === undefined) return undefined
  const output = outputAt(value, outputs)
  return output && !output.inList ? shapeOf(output.schema, output.root) : anything
}

/** What no expression has a part in, and that stands for nothing else. */
const isLiteral = (input: unknown): boolean =>
  !everyText(input).some(({ text }) => text.includes('{%')) &&
  !(input !== null && typeof input === 'object' && '$ref' in input)

const misfitsOfValue = (input: unknown, schema: Schema, checkInput: Known['checkInput']): Misfit[] =>
  checkInput(schema, input).map(({ pointer, message }) => {
    const way = keysOf(pointer)
    return { way, message: `does not take this: ${['input', ...way].join('.')} ${message}` }
  })

/** The part of a way that stands in the definition: what an expression gives has no place in it. */
const written = (way: Path, input: unknown): Path => {
  let at = input
  return way.filter((key) => {
    const isThere = at !== null && typeof at === 'object' && Object.hasOwn(at, key)
    at = isThere ? (at as Record<string | number, unknown>)[key] : undefined
    return isThere
  })
}
