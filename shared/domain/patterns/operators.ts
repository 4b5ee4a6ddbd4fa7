import { BlockList, isIP } from 'node:net'
import { readWildcard } from './wildcard.ts'

/** What stands at a leaf of an event. */
export type Scalar = string | number | boolean | null
export const isScalar = (value: unknown): value is Scalar =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value)
export type Test = (value: Scalar) => boolean

/** A value of a pattern that its operator does not take; `at` is its place below the operator. */
export class UnfitError extends Error {
  readonly at: string

  constructor(message: string, at = '') {
    super(message)
    this.at = at
  }
}

/** The value received, as a refusal shows it. */
export const shown = (value: unknown): string => (JSON.stringify(value) ?? 'undefined').slice(0, 60)

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number'

/** The only key of an object, with its value. */
export const onlyEntry = (value: unknown): [name: string, value: unknown] | undefined => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  const [entry, ...more] = Object.entries(value)
  return more.length === 0 ? entry : undefined
}

const requireText = (value: unknown, at = ''): string => {
  if (isText(value)) return value
  throw new UnfitError(`expected a string, not ${shown(value)}`, at)
}

type Compare = (value: string, wanted: string) => boolean
const starts: Compare = (value, wanted) => value.startsWith(wanted)
const ends: Compare = (value, wanted) => value.endsWith(wanted)
const equals: Compare = (value, wanted) => value === wanted

const textTest =
  (compare: Compare, wanted: string): Test =>
  (value) =>
    isText(value) && compare(value, wanted)

const ignoringCase = (compare: Compare, wanted: string): Test =>
  textTest((value, lower) => compare(value.toLowerCase(), lower), wanted.toLowerCase())

/** A string, or `{"equals-ignore-case": string}`. */
const affix =
  (compare: Compare) =>
  (value: unknown): Test => {
    if (isText(value)) return textTest(compare, value)
    const [name, wanted] = onlyEntry(value) ?? []
    if (name !== 'equals-ignore-case')
      throw new UnfitError(`expected a string or {"equals-ignore-case": "…"}, not ${shown(value)}`)
    return ignoringCase(compare, requireText(wanted, '/equals-ignore-case'))
  }

const wildcard = (value: unknown): Test => {
  const read = readWildcard(requireText(value))
  if ('problem' in read) throw new UnfitError(read.problem)
  return (given) => isText(given) && read.test(given)
}

const most = 5e9
type Comparison = (value: number, bound: number) => boolean
const lower: Record<string, Comparison> = {
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
}
const upper: Record<string, Comparison> = {
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
}
const one: Record<string, Comparison> = { '=': (value, bound) => value === bound, ...lower, ...upper }

const comparison = (allowed: Record<string, Comparison>, [name, bound]: unknown[], from: number) => {
  const compare = isText(name) && Object.hasOwn(allowed, name) ? allowed[name] : undefined
  if (compare === undefined)
    throw new UnfitError(`expected ${Object.keys(allowed).join(', ')}, not ${shown(name)}`, `/${from}`)
  if (!isNumber(bound)) throw new UnfitError(`expected a number after ${name}, not ${shown(bound)}`, `/${from + 1}`)
  if (Math.abs(bound) > most) throw new UnfitError(`${bound} is not between -5e9 and 5e9`, `/${from + 1}`)
  return { bound, test: (value: number) => compare(value, bound) }
}

/** `["=", n]`, `[">", n]` …, or a range: `[">=", low, "<", high]`. */
const numeric = (value: unknown): Test => {
  if (!Array.isArray(value) || (value.length !== 2 && value.length !== 4))
    throw new UnfitError(`expected ["=", n], or a range such as [">", 0, "<=", 5], not ${shown(value)}`)
  const first = comparison(value.length === 2 ? one : lower, value, 0)
  if (value.length === 2) return (given) => isNumber(given) && first.test(given)
  const second = comparison(upper, value.slice(2), 2)
  if (first.bound >= second.bound)
    throw new UnfitError(`the lower bound ${first.bound} is not below the upper one, ${second.bound}`)
  return (given) => isNumber(given) && first.test(given) && second.test(given)
}

/** A block of addresses: `10.0.0.0/24`, `2001:db8::/32`. */
const cidr = (value: unknown): Test => {
  const [address = '', bits = '', ...rest] = requireText(value).split('/')
  const version = isIP(address)
  const widest = version === 4 ? 32 : 128
  const prefix = /^\d{1,3}$/.test(bits) ? Number(bits) : -1
  if (version === 0 || rest.length > 0 || prefix < 0 || prefix > widest)
    throw new UnfitError(`expected a block of addresses such as 10.0.0.0/24, not ${shown(value)}`)
  const block = new BlockList()
  block.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
  return (given) => isText(given) && isIP(given) === version && block.check(given, version === 4 ? 'ipv4' : 'ipv6')
}

/** What may stand under `anything-but` with one string or a list of them. */
const excluded: Record<string, (wanted: string) => Test> = {
  prefix: (wanted) => textTest(starts, wanted),
  suffix: (wanted) => textTest(ends, wanted),
  'equals-ignore-case': (wanted) => ignoringCase(equals, wanted),
  wildcard,
}

const readExcluded = (value: unknown): Test[] => {
  const [name = '', wanted] = onlyEntry(value) ?? []
  const read = Object.hasOwn(excluded, name) ? excluded[name] : undefined
  if (read === undefined)
    throw new UnfitError(
      `expected a string, a number, a list of either, or one of ${Object.keys(excluded).join(', ')}, not ${shown(value)}`,
    )
  const list: unknown[] = Array.isArray(wanted) ? wanted : [wanted]
  if (list.length === 0 || !list.every((item) => isText(item) && item !== ''))
    throw new UnfitError(`expected a string that is not empty, or a list of them, not ${shown(wanted)}`, `/${name}`)
  return list.map((item) => read(item as string))
}

/** Everything but a value, the values of a list, or what another operator says. */
const anythingBut = (value: unknown): Test => {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  const plain = list.length > 0 && (list.every(isText) || list.every(isNumber))
  if (Array.isArray(value) && !plain)
    throw new UnfitError(`expected strings alone or numbers alone, at least one, not ${shown(value)}`)
  if (plain) return (given) => !list.some((item) => item === given)
  const tests = readExcluded(value)
  return (given) => !tests.some((test) => test(given))
}

/** By name: reads what stands under the operator, and says which values of an event it matches. */
export const operators: Readonly<Record<string, (value: unknown) => Test>> = {
  prefix: affix(starts),
  suffix: affix(ends),
  'equals-ignore-case': (value) => ignoringCase(equals, requireText(value)),
  wildcard,
  'anything-but': anythingBut,
  numeric,
  cidr,
}
