import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { type Finding, failing, keysOf, type Path } from '../problem.ts'

const options = { allErrors: true, strict: false, validateFormats: false, logger: false } as const
const start: Path = ['input']

/** What about the input of a definition is no JSON Schema 2020-12, each at its place. */
export const checkInputSchema = ({ input }: Definition): Finding[] => {
  if (input === undefined) return []
  const ajv = new Ajv2020(options)
  try {
    if (ajv.validateSchema(input) === true && '$async' in ajv.compile(input))
      throw new Error('$async is none of JSON Schema')
    return atEachPlace(ajv.errors ?? [])
  } catch (error) {
    const message = error instanceof Error ? error.message : 'unusable'
    return [failing('SCHEMA', [...start, ...placeOf(input, message)], `the schema cannot be used: ${message}`)]
  }
}

/** Of several that are found at one place the first says it. */
const atEachPlace = (errors: ErrorObject[]): Finding[] =>
  [...Map.groupBy(errors, ({ instancePath }) => instancePath).values()].flatMap(([first]) =>
    first === undefined ? [] : [failing('SCHEMA', pathOf(first), `no JSON Schema: ${wordsOf(first)}`)],
  )

const pathOf = ({ instancePath }: ErrorObject): Path => [...start, ...keysOf(instancePath)]

const wordsOf = ({ message = 'does not fit', params }: ErrorObject): string =>
  Array.isArray(params.allowedValues) ? `${message}: ${params.allowedValues.join(', ')}` : message

/** Where a reference or a pattern stands that a message speaks of. */
const placeOf = (part: unknown, message: string): Path => {
  if (part === null || typeof part !== 'object') return []
  for (const [key, value] of Object.entries(part)) {
    if (['$ref', 'pattern'].includes(key) && typeof value === 'string' && message.includes(value)) return [key]
    const inside = placeOf(value, message)
    if (inside.length > 0) return [key, ...inside]
  }
  return []
}
