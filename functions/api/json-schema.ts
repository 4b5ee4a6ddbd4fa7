import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { LRUCache } from 'lru-cache'
import { boundedPattern, renewBudget, SlowPatternError } from './bounded-pattern.ts'

const options = {
  allErrors: true,
  strict: false,
  validateFormats: false,
  logger: false as const,
  code: { regExp: boundedPattern },
}
const compiled = new LRUCache<string, ValidateFunction>({ max: 500 })

/** By an instance of its own: what one schema calls itself is no other schema's concern. */
const compile = (schema: Record<string, unknown>): ValidateFunction => {
  const text = JSON.stringify(schema)
  const known = compiled.get(text) ?? new Ajv2020(options).compile(schema)
  compiled.set(text, known)
  return known
}

/** Why a JSON Schema cannot be used; `undefined` when it can. Schemas elsewhere (`$ref` to a URL) cannot. */
export const schemaProblem = (schema: Record<string, unknown>): string | undefined => {
  try {
    compile(schema)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : 'unusable'
  }
}

/** What in an input does not fit a JSON Schema 2020-12. */
export const checkInput = (schema: Record<string, unknown>, input: unknown): { pointer: string; message: string }[] => {
  const validate = compile(schema)
  renewBudget()
  try {
    if (validate(input ?? null)) return []
  } catch (error) {
    if (error instanceof SlowPatternError) return [{ pointer: '', message: error.message }]
    throw error
  }
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
