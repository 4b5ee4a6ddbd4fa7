import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { LRUCache } from 'lru-cache'
import { bounded, boundedPattern, renewBudget, SlowError } from './bounded-pattern.ts'

const options = {
  allErrors: true,
  strict: false,
  validateFormats: false,
  logger: false as const,
  code: { regExp: boundedPattern },
}
type Compiled = { validate: ValidateFunction; mayTakeLong: boolean }
const compiled = new LRUCache<string, Compiled>({ max: 500 })

/** What calls itself, or compares each with each: all else takes as long as the schema and what it looks at. */
const slowWords = /"(\$ref|\$dynamicRef|uniqueItems)"/

/** By an instance of its own: what one schema calls itself is no other schema's concern. */
const compile = (schema: Record<string, unknown>): Compiled => {
  const text = JSON.stringify(schema)
  const known = compiled.get(text)
  if (known) return known
  const validate = new Ajv2020(options).compile(schema)
  if ('$async' in validate) throw new Error('$async is none of JSON Schema') // it would answer a promise that nobody awaits
  const fresh = { validate, mayTakeLong: slowWords.test(text) }
  compiled.set(text, fresh)
  return fresh
}

/** A schema as it can be used, or why it cannot be. */
const look = (schema: Record<string, unknown>): Compiled | { problem: string } => {
  try {
    return compile(schema)
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'unusable' }
  }
}

/** Why a JSON Schema cannot be used; `undefined` when it can. Schemas elsewhere (`$ref` to a URL) cannot. */
export const schemaProblem = (schema: Record<string, unknown>): string | undefined => {
  const found = look(schema)
  return 'problem' in found ? found.problem : undefined
}

type Misfit = { pointer: string; message: string }

/** What in an input does not fit a JSON Schema 2020-12. */
export const checkInput = (schema: Record<string, unknown>, input: unknown): Misfit[] => {
  const found = look(schema)
  if ('problem' in found) return [{ pointer: '', message: `the schema cannot be used: ${found.problem}` }]
  try {
    return misfits(found, input)
  } catch (error) {
    if (error instanceof SlowError) return [{ pointer: '', message: error.message }]
    if (error instanceof RangeError)
      return [{ pointer: '', message: 'the schema cannot be used: it calls itself for ever' }]
    throw error
  }
}

const misfits = ({ validate, mayTakeLong }: Compiled, input: unknown): Misfit[] => {
  renewBudget()
  const run = (): boolean => validate(input ?? null)
  if (mayTakeLong ? bounded(run) : run()) return []
  return (validate.errors ?? []).slice(0, 20).map((error) => ({
    pointer: pointerOf(error),
    message: `${error.message ?? 'does not fit'}${detailOf(error.params)}`,
  }))
}

type SchemaError = { instancePath: string; keyword: string; params: Record<string, unknown> }

/** A missing or an unknown field is named by its own pointer. */
const pointerOf = ({ instancePath, params }: SchemaError): string => {
  const field = params.missingProperty ?? params.additionalProperty
  return typeof field === 'string' ? `${instancePath}/${field}` : instancePath
}

const detailOf = (params: Record<string, unknown>): string => {
  if (Array.isArray(params.allowedValues)) return `: ${params.allowedValues.join(', ')}`
  return typeof params.additionalProperty === 'string' ? `: ${params.additionalProperty}` : ''
}
