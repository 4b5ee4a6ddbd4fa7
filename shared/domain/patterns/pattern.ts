import type { FieldError } from '../domain-error.ts'
import { isScalar, onlyEntry, operators, type Scalar, shown, type Test, UnfitError } from './operators.ts'

/** An event pattern, as EventBridge has them. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html */
export type Pattern = Record<string, unknown>

type Node = Record<string, unknown>
/** `level` is everything that stands at the place of `node` in the whole event: an absence is one of all of them. */
type Matcher = (node: Node, level: Node[]) => boolean
type Read = { pointer: string; problems: FieldError[] }

/** Characters of JSON without spaces. */
export const mostCharacters = 2048
/** A pattern counts as often as its `$or` can be chosen from. */
export const mostChoices = 1000

const isNode = (value: unknown): value is Node => value !== null && typeof value === 'object' && !Array.isArray(value)
const flat = (value: unknown): unknown[] => (Array.isArray(value) ? value.flatMap(flat) : [value])
const nodesAt = (value: unknown): Node[] => flat(value).filter(isNode)
/** What an event says itself; names of an object's own machinery are none of it. */
const fieldOf = (node: Node, key: string): unknown => (Object.hasOwn(node, key) ? node[key] : undefined)
const scalarsAt = (value: unknown): Scalar[] =>
  flat(value).filter((one): one is Scalar => one !== undefined && !isNode(one))

/** The place of a part in what a pointer leads to. https://www.rfc-editor.org/rfc/rfc6901 */
export const below = (pointer: string, key: string | number): string =>
  `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`

const complain = ({ pointer, problems }: Read, message: string, at = ''): void => {
  problems.push({ pointer: `${pointer}${at}`, code: 'PATTERN', message })
}

/** Reads a pattern: what it matches, or everything that is wrong with it, each by its place below `root`. */
export const readPattern = (
  pattern: unknown,
  root = '#',
): { matches: (event: object) => boolean } | { problems: FieldError[] } => {
  const problems: FieldError[] = []
  const read = { pointer: root, problems }
  const matcher = isNode(pattern) ? readNode(pattern, read) : expectNode(pattern, read)
  if (isNode(pattern) && problems.length === 0) checkSize(pattern, read)
  return problems.length > 0 ? { problems } : { matches: (event) => matcher(event as Node, [event as Node]) }
}

const expectNode = (value: unknown, read: Read): Matcher => {
  complain(read, `expected an object such as {"type": ["build.finished"]}, not ${shown(value)}`)
  return () => false
}

const checkSize = (pattern: Pattern, read: Read): void => {
  const size = JSON.stringify(pattern).length
  if (size > mostCharacters) complain(read, `a pattern has ${mostCharacters} characters at most, not ${size}`)
  const choices = choicesOf(pattern)
  if (choices > mostChoices) complain(read, `its $or make ${choices} combinations; ${mostChoices} are possible`)
}

/** In how many ways the `$or` of a pattern can be combined. */
const choicesOf = (pattern: Pattern): number =>
  Object.entries(pattern)
    .map(([key, value]) => {
      if (key === '$or') return (value as Pattern[]).reduce((sum, one) => sum + choicesOf(one), 0)
      return isNode(value) ? choicesOf(value) : 1
    })
    .reduce((product, count) => product * count, 1)

/** Every field of it must match. */
const readNode = (pattern: Pattern, read: Read): Matcher => {
  const fields = Object.entries(pattern)
  if (fields.length === 0) complain(read, 'an empty object matches nothing; name a field')
  const matchers = fields.map(([key, value]) => readField(key, value, { ...read, pointer: below(read.pointer, key) }))
  return (node, level) => matchers.every((matches) => matches(node, level))
}

const readField = (key: string, value: unknown, read: Read): Matcher => {
  if (key === '$or') return readOr(value, read)
  if (Array.isArray(value)) return readValues(key, value, read)
  if (isNode(value)) return readNested(key, value, read)
  complain(read, `expected a list of values such as [${shown(value)}], or an object of fields, not ${shown(value)}`)
  return () => false
}

const readOr = (value: unknown, read: Read): Matcher => {
  const patterns: unknown[] = Array.isArray(value) ? value : []
  if (patterns.length < 2 || !patterns.every(isNode)) {
    complain(read, `expected a list of two patterns or more, not ${shown(value)}`)
    return () => false
  }
  const matchers = patterns.map((one, at) => readNode(one as Pattern, { ...read, pointer: below(read.pointer, at) }))
  return (node, level) => matchers.some((matches) => matches(node, level))
}

/** What is asked of a level is the same for each of its nodes, of which an event can have thousands. */
const oncePerLevel = <T>(ask: (level: Node[]) => T): ((level: Node[]) => T) => {
  const answers = new WeakMap<Node[], { answer: T }>()
  return (level) => {
    const known = answers.get(level) ?? { answer: ask(level) }
    answers.set(level, known)
    return known.answer
  }
}

/** Of a list of objects one must match with all of its fields. */
const readNested = (key: string, pattern: Pattern, read: Read): Matcher => {
  const matches = readNode(pattern, read)
  const nextOf = oncePerLevel((level) => level.flatMap((one) => nodesAt(fieldOf(one, key))))
  const lacksAll = oncePerLevel((level) => matches({}, nextOf(level)))
  return (node, level) => {
    const nodes = nodesAt(fieldOf(node, key))
    return nodes.length === 0 ? lacksAll(level) : nodes.some((one) => matches(one, nextOf(level)))
  }
}

/** One value of it must match one value of the event's. */
const readValues = (key: string, values: unknown[], read: Read): Matcher => {
  if (values.length === 0) complain(read, 'an empty list matches nothing; name a value')
  const tests = values.map((value, at) => readValue(value, { ...read, pointer: below(read.pointer, at) }))
  const mayLack = tests.includes(absent)
  const isAbsent = oncePerLevel((level) => level.every((one) => scalarsAt(fieldOf(one, key)).length === 0))
  return (node, level) =>
    scalarsAt(fieldOf(node, key)).some((value) => tests.some((test) => test(value))) || (mayLack && isAbsent(level))
}

const present: Test = () => true
/** Says nothing of a value that is there. */
const absent: Test = () => false

const readValue = (value: unknown, read: Read): Test => {
  if (isScalar(value)) return (given) => given === value
  const [name = '', wanted] = onlyEntry(value) ?? []
  if (name === 'exists' && typeof wanted === 'boolean') return wanted ? present : absent
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
  try {
    if (name === 'exists') throw new UnfitError(`expected true or false, not ${shown(wanted)}`)
    if (operator) return operator(wanted)
  } catch (error) {
    if (!(error instanceof UnfitError)) throw error
    complain(read, error.message, `/${name}${error.at}`)
    return absent
  }
  const known = [...Object.keys(operators), 'exists'].join(', ')
  complain(read, `expected a string, a number, true, false, null, or one operator of ${known}; not ${shown(value)}`)
  return absent
}
