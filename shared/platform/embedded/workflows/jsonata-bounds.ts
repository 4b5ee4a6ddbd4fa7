import jsonata from 'jsonata'

const words = (text: string): string[] => text.trim().split(/\s+/)

/** Functions whose time is linear in what they are given; how many times as large as that the result can be. */
const growths = new Map<string, number>([
  ...words(`count sum max min average substring substringBefore substringAfter lowercase uppercase trim contains number
    floor ceil round abs sqrt power random boolean not keys lookup append exists merge reverse error assert type
    base64decode decodeUrl decodeUrlComponent now millis toMillis fromMillis partition hash uuid parse`).map(
    (name): [string, number] => [name, 1],
  ),
  ['string', 2],
  ['base64encode', 2],
  ['length', 4],
  ['split', 4],
  ['join', 8],
  ['encodeUrl', 9],
  ['encodeUrlComponent', 9],
  ['replace', 16],
])
/** With more arguments these are given a picture, which the library makes regular expressions of, or indent. */
const mostArguments = new Map([
  ['string', 1],
  ['toMillis', 1],
  ['fromMillis', 1],
  ['now', 0],
])
/** They give what follows their first argument once for each part of it. */
const repeating = new Set(['join', 'replace'])
const shortText = 16
/** What holds on to less than so many times the data of a state is done within milliseconds. */
const mostGrowth = 32

type Node = {
  type?: string
  value?: unknown
  steps?: Node[]
  procedure?: Node
  arguments?: Node[]
  lhs?: Node
  rhs?: Node
}
/** `inStep`: it is evaluated once for each item of a list. */
type Row = (node: Node, inStep: boolean) => number

const isShort = ({ type, value }: Node): boolean =>
  type === 'number' || (type === 'string' && lengthOf(value) <= shortText)
const lengthOf = (value: unknown): number => String(value).length

const callGrowth = (procedure: Node | undefined, given: Node[], inStep: boolean): number => {
  const name = procedure?.type === 'variable' ? String(procedure.value) : ''
  const isModestCall =
    given.length <= (mostArguments.get(name) ?? given.length) && (!repeating.has(name) || given.slice(1).every(isShort))
  return isModestCall ? (growths.get(name) ?? Infinity) * Math.max(1, growthOf(given, inStep)) : Infinity
}

const never: Row = () => Infinity
const rows: Record<string, Row> = {
  string: (node, inStep) => (inStep && !isShort(node) ? Infinity : 0),
  number: () => 0,
  value: () => 0,
  name: () => 1,
  wildcard: () => 1,
  /** What does not come from the item is there as often as there are items. */
  variable: ({ value }, inStep) => (inStep && value !== '' ? Infinity : 1),
  /** A name for a part of the data is as good as the part; one for more would be more each time that it is looked at. */
  bind: ({ lhs, rhs }, inStep) => (!growths.has(String(lhs?.value)) && growthOf(rhs, inStep) <= 1 ? 1 : Infinity),
  path: ({ steps = [] }, inStep) =>
    steps.reduce((product, step, at) => product * Math.max(1, growthOf(step, inStep || at > 0)), 1),
  function: ({ procedure, arguments: given = [] }, inStep) => callGrowth(procedure, given, inStep),
  apply: ({ lhs = {}, rhs = {} }, inStep) =>
    rhs.type === 'function'
      ? callGrowth(rhs.procedure, [lhs, ...(rhs.arguments ?? [])], inStep)
      : callGrowth(rhs, [lhs], inStep),
  ...Object.fromEntries(
    words('lambda partial regex transform descendant parent').map((type): [string, Row] => [type, never]),
  ),
}

const sumOfParts = (node: object, inStep: boolean): number =>
  Object.values(node).reduce((sum: number, part: unknown) => sum + growthOf(part, inStep), 0)

/**
 * How many times as large as the data it is evaluated over an expression, and whatever it makes on the way, can be; without
 * bound where its time is not linear in that either.
 */
const growthOf = (node: unknown, inStep = false): number => {
  if (node === null || typeof node !== 'object') return 0
  const { stages, predicate, group, focus, index, ...bare } = node as Record<string, unknown> & Node
  if (focus !== undefined || index !== undefined || (bare.type === 'binary' && bare.value === '..')) return Infinity
  const row = rows[bare.type ?? '']
  const own = row ? row(bare, inStep) : sumOfParts(Array.isArray(node) ? node : bare, inStep)
  const around = [growthOf(stages), growthOf(predicate), growthOf(group, true)]
  return around.reduce((product, one) => product * Math.max(1, one), own)
}

/** Whether an expression only takes and puts together what is there: its time can be bounded from inside. */
export const isModest = (source: string): boolean => growthOf(jsonata(source).ast()) <= mostGrowth

/** Counts characters of a value as JSON, roughly and only until there are too many. */
export const exceeds = (value: unknown, most: number): boolean => {
  let left = most
  const count = (part: unknown): void => {
    left -= typeof part === 'string' ? part.length + 2 : 2
    if (left < 0 || part === null || typeof part !== 'object') return
    for (const [key, inner] of Object.entries(part)) {
      left -= key.length
      count(inner)
      if (left < 0) return
    }
  }
  count(value)
  return left < 0
}
