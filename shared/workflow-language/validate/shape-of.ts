import { keysOf } from '../problem.ts'
import type { Schema } from './known.ts'

/** What is known for certain of the values of a schema, as far as that is looked at. What is not known is left out. */
export type Shape = {
  types?: readonly string[]
  /** They are of these. */
  values?: readonly unknown[]
  /** By name; looked at when it is needed: a schema may hold itself. */
  fields: ReadonlyMap<string, () => Shape>
  required: readonly string[]
  /** There are no fields but these. */
  isClosed: boolean
  /** What each item is. */
  items?: () => Shape
  /** The items of a list that is written out. */
  list?: readonly (() => Shape)[]
  /** One of these holds as well. */
  oneOf: readonly (() => Shape)[]
  /** Each of these does. */
  allOf: readonly (() => Shape)[]
}

export const anything: Shape = { fields: new Map(), required: [], isClosed: false, oneOf: [], allOf: [] }

const isFields = (value: unknown): value is Schema =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** References lead to others no further than this. */
const mostHops = 10

/** A schema behind the references into its own document, which is `root`. */
const resolve = (given: unknown, root: unknown, hops = 0): Schema => {
  if (!isFields(given) || hops > mostHops) return {}
  if (typeof given.$ref !== 'string') return given
  if (!/^#(\/|$)/.test(given.$ref)) return {}
  const found = keysOf(given.$ref).reduce<unknown>((at, key) => (isFields(at) ? at[key] : undefined), root)
  return resolve(found, root, hops + 1)
}

const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

const typesIn = ({ type }: Schema): string[] | undefined => {
  const types = typeof type === 'string' ? [type] : Array.isArray(type) ? type.map(String) : undefined
  return types?.map((one) => (one === 'integer' ? 'number' : one))
}

const valuesIn = (schema: Schema): unknown[] | undefined =>
  'const' in schema ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : undefined

const listIn = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** The shape of a JSON Schema. */
export const shapeOf = (given: unknown, root: unknown = given): Shape => {
  const schema = resolve(given, root)
  const inner = (one: unknown) => () => shapeOf(one, root)
  const values = valuesIn(schema)
  return {
    types: values?.map(typeOf) ?? typesIn(schema),
    values,
    fields: new Map(
      Object.entries(isFields(schema.properties) ? schema.properties : {}).map(([name, one]) => [name, inner(one)]),
    ),
    required: listIn(schema.required).map(String),
    isClosed: schema.additionalProperties === false && schema.patternProperties === undefined,
    ...(schema.items !== undefined && schema.prefixItems === undefined && { items: inner(schema.items) }),
    oneOf: listIn(schema.anyOf ?? schema.oneOf).map(inner),
    allOf: listIn(schema.allOf).map(inner),
  }
}

/** The shape of a value; `known` says what it is of what is none yet. */
export const shapeOfValue = (value: unknown, known: (value: unknown) => Shape | undefined = () => undefined): Shape => {
  const inner = (one: unknown) => () => shapeOfValue(one, known)
  const found = known(value)
  if (found) return found
  const types = [typeOf(value)]
  if (Array.isArray(value)) return { ...anything, types, list: value.map(inner) }
  if (!isFields(value)) return { ...anything, types, values: [value] }
  const fields = new Map(Object.entries(value).map(([name, one]) => [name, inner(one)]))
  return { ...anything, types, fields, required: [...fields.keys()], isClosed: true }
}
