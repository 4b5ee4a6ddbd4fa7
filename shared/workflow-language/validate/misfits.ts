import { isDeepStrictEqual } from 'node:util'
import { didYouMean } from '../expressions/functions.ts'
import { anything, type Shape } from './shape-of.ts'

/** Where in a value, and in words that `NAME …` begins, what is wrong there. */
export type Misfit = { way: (string | number)[]; message: string }

/** Schemas may hold themselves: so many pairs of them are looked at. */
const mostPairs = 1000

/** Why no value of the one shape is one of the other, as far as that is certain. */
export const misfitsOf = (given: Shape, wanted: Shape): Misfit[] =>
  misfits(given, wanted, { way: [], left: { pairs: mostPairs } })

type Look = { way: Misfit['way']; left: { pairs: number } }

const misfits = (given: Shape, wanted: Shape, look: Look): Misfit[] => {
  if (look.left.pairs-- <= 0 || given.fields.has('$ref')) return [] // a reference may stand for anything
  const own = typeMisfits(given, wanted, look)
  if (own.length > 0) return own
  return [
    ...fieldMisfits(given, wanted, look),
    ...itemMisfits(given, wanted, look),
    ...(given.oneOf.length > 0 ? givenWays : wantedWays)(given, wanted, look),
    ...wanted.allOf.flatMap((one) => misfits(given, one(), look)),
  ]
}

const articles: Record<string, string> = {
  object: 'fields',
  array: 'a list',
  null: 'nothing',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
}
const inWords = (types: readonly string[]): string =>
  [...new Set(types)].map((one) => articles[one] ?? one).join(' or ')
const spoken = (way: Misfit['way']): string => ['input', ...way].join('.')

const typeMisfits = ({ types, values }: Shape, wanted: Shape, { way }: Look): Misfit[] => {
  if (types && wanted.types && !types.some((one) => wanted.types?.includes(one)))
    return [{ way, message: `takes ${inWords(wanted.types)} as its ${spoken(way)}, not ${inWords(types)}` }]
  const isOneOf = (value: unknown): boolean => wanted.values?.some((one) => isDeepStrictEqual(one, value)) ?? true
  if (!values || values.length === 0 || values.some(isOneOf)) return []
  const text = (all: readonly unknown[] = []): string => all.map((one) => JSON.stringify(one)).join(' or ')
  return [{ way, message: `takes ${text(wanted.values)} as its ${spoken(way)}, not ${text(values)}` }]
}

const isObject = ({ types }: Shape): boolean => types?.every((one) => one === 'object') ?? false

const fieldMisfits = (given: Shape, wanted: Shape, look: Look): Misfit[] => {
  if (!isObject(given)) return []
  const { way } = look
  const missing = given.isClosed ? wanted.required.filter((name) => !given.fields.has(name)) : []
  const unknown = wanted.isClosed ? given.required.filter((name) => !wanted.fields.has(name)) : []
  const sure = [...given.fields].filter(([name]) => given.required.includes(name) || wanted.required.includes(name))
  return [
    ...missing.map((name) => ({ way, message: `needs ${name} in its ${spoken(way)}` })),
    ...unknown.map((name) => ({
      way: [...way, name],
      message: `takes no ${[...way, name].join('.')}${didYouMean(name, wanted.fields.keys())}`,
    })),
    ...sure.flatMap(([name, field]) =>
      misfits(field(), wanted.fields.get(name)?.() ?? anything, { ...look, way: [...way, name] }),
    ),
  ]
}

/** A list of others fits only while it is empty, which nobody means. */
const itemMisfits = ({ list, items }: Shape, wanted: Shape, look: Look): Misfit[] => {
  if (wanted.items === undefined) return []
  const each = wanted.items()
  const all = list ?? (items ? [items] : [])
  return all.flatMap((item, at) => misfits(item(), each, { ...look, way: [...look.way, at] }))
}

/** None of the ways that a given value may be fits. */
const givenWays = ({ oneOf }: Shape, wanted: Shape, look: Look): Misfit[] => {
  const found = oneOf.map((one) => misfits(one(), wanted, look))
  return found.every((some) => some.length > 0) ? (found[0] ?? []) : []
}

/** A value fits none of the ways that are taken; what is said is of the one that comes nearest. */
const wantedWays = (given: Shape, { oneOf }: Shape, look: Look): Misfit[] => {
  const ways = oneOf.map((one) => one())
  const found = ways.map((one) => misfits(given, one, look))
  if (found.length === 0 || found.some((some) => some.length === 0)) return []
  const near = found.find((_, at) => typeMisfits(given, ways[at] ?? anything, look).length === 0)
  const none = typeMisfits(given, { ...anything, types: ways.flatMap(({ types = [] }) => types) }, look)
  return near ?? (none.length > 0 ? none : (found[0] ?? []))
}
