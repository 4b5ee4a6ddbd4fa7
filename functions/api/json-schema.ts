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

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'unusable')

/** Why a JSON Schema cannot be used; `undefined` when it can. Schemas elsewhere (`$ref` to a URL) cannot. */
export const schemaProblem = (schema: Record<string, unknown>): string | undefined => {
  try {
    compile(schema)
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

type Misfit = { pointer: string; message: string }

/** What in an input does not fit a JSON Schema 2020-12. */
export const checkInput = (schema: Record<string, unknown>, input: unknown): Misfit[] => {
  try {
    return misfits(compile(schema), input)
  } catch (error) {
    const message = error instanceof SlowError ? error.message : `the schema cannot be used: ${reasonOf(error)}`
    return [{ pointer: '', message }]
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
