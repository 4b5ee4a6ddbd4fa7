import type * as z from 'zod'
import { type Definition, definitionSchema } from '#shared/contracts/workflows/definition.ts'
import { stepKinds } from '#shared/contracts/workflows/step.ts'
import { didYouMean } from '../expressions/functions.ts'
import { type Finding, failing, type Path } from '../problem.ts'
import { maxSourceBytes } from '../source/read-source.ts'
import { everyStep } from '../steps.ts'

export const maxSteps = 1000
export const maxLevels = 30
/** Levels of the text itself: each of steps takes a few. */
const maxNesting = 200
/** No text without aliases has as many parts: each takes two bytes of it. */
const maxParts = maxSourceBytes / 2

/** A value as a definition, or what about it is none. */
export const checkShape = (value: unknown): { definition: Definition } | { findings: Finding[] } => {
  const vast = deepest(value)
  if (vast) return { findings: [vast] }
  const odd = notJson(value)
  if (odd.length > 0) return { findings: odd }
  const parsed = definitionSchema.safeParse(value, { reportInput: true })
  if (!parsed.success) return { findings: parsed.error.issues.flatMap((issue) => explain(issue, value)) }
  const limits = checkLimits(parsed.data)
  return limits.length > 0 ? { findings: limits } : { definition: parsed.data }
}

const plain: unknown[] = [Object.prototype, Array.prototype, null]

/** What YAML can say and JSON cannot. The value is not too deep. */
const notJson = (value: unknown, path: Path = []): Finding[] => {
  if (typeof value === 'number' && !Number.isFinite(value))
    return [failing('SCHEMA', path, `JSON has no number ${value}`)]
  if (value === null || typeof value !== 'object') return []
  if (!plain.includes(Object.getPrototypeOf(value)))
    return [failing('SCHEMA', path, 'expected what JSON has: text, a number, true, false, null, a list or fields')]
  return Object.entries(value).flatMap(([key, child]) => {
    const inside = [...path, Array.isArray(value) ? Number(key) : key]
    return key === '__proto__'
      ? [failing('SCHEMA', inside, 'a field must not be named __proto__')]
      : notJson(child, inside)
  })
}

/** The first place that is too deep, or where aliases make too much of it; without recursion, whatever comes. */
const deepest = (value: unknown): Finding | undefined => {
  const open: { value: unknown; path: Path }[] = [{ value, path: [] }]
  let parts = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (++parts > maxParts) return failing('TOO_LARGE', next.path, `a definition has at most ${maxParts} parts`)
    if (next.value === null || typeof next.value !== 'object') continue
    if (next.path.length >= maxNesting) return failing('TOO_DEEP', next.path, `nested deeper than ${maxNesting} levels`)
    for (const [key, child] of Object.entries(next.value)) open.push({ value: child, path: [...next.path, key] })
  }
  return undefined
}

const checkLimits = ({ steps }: Definition): Finding[] => {
  const all = everyStep(steps)
  const deep = all.find(({ level }) => level > maxLevels)
  const more = all.at(maxSteps)
  return [
    ...(more ? [failing('TOO_LARGE', more.path, `${all.length} steps; a workflow has at most ${maxSteps}`)] : []),
    ...(deep
      ? [failing('TOO_DEEP', deep.path, `steps stand inside of each other ${maxLevels} levels deep at most`)]
      : []),
  ]
}

const at = (value: unknown, path: PropertyKey[]): unknown =>
  path.reduce<unknown>((found, key) => (found as Record<PropertyKey, unknown> | undefined)?.[key], value)

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60)

const explain = (issue: z.core.$ZodIssue, value: unknown): Finding[] => {
  const path = issue.path as Path
  const given = at(value, issue.path)
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) =>
      failing('SCHEMA', [...path, key], `there is no field ${key} here${hint(key, given)}`),
    )
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'kind') return [failing('SCHEMA', path, kindText(given))]
  if (issue.code === 'invalid_type' && given === undefined)
    return [failing('SCHEMA', path, `${String(path.at(-1))} is missing; expected ${nameOf(issue.expected)}`)]
  if (issue.code === 'invalid_type')
    return [failing('SCHEMA', path, `expected ${nameOf(issue.expected)}, not ${shown(given)}`)]
  if (issue.code === 'invalid_value')
    return [failing('SCHEMA', path, `expected ${issue.values.map(String).join(', ')}, not ${shown(given)}`)]
  if (issue.code === 'too_small' && issue.message.startsWith('Too small'))
    return [failing('SCHEMA', path, `expected at least ${amountOf(issue.origin, issue.minimum)}, not ${sizeOf(given)}`)]
  if (issue.code === 'too_big' && issue.message.startsWith('Too big'))
    return [failing('SCHEMA', path, `expected at most ${amountOf(issue.origin, issue.maximum)}, not ${sizeOf(given)}`)]
  return [failing('SCHEMA', path, issue.message)]
}

const units: Record<string, string> = { array: 'item', string: 'character' }
const amountOf = (origin: string, bound: number | bigint): string => {
  const unit = units[origin]
  return unit === undefined ? String(bound) : `${bound} ${unit}${Number(bound) === 1 ? '' : 's'}`
}
const sizeOf = (given: unknown): string =>
  typeof given === 'string' || Array.isArray(given) ? String(given.length) : shown(given)

const nameOf = (type: string): string =>
  ({ array: 'a list', record: 'fields', object: 'fields', int: 'a whole number' })[type] ?? `a ${type}`

const kindText = (given: unknown): string => {
  const kinds = `kind is one of ${stepKinds.join(', ')}`
  if (typeof given !== 'string') return kinds
  return `${kinds}; not ${shown(given)}${didYouMean(given, stepKinds)}`
}

const fields = [
  'name',
  'kind',
  'description',
  'retry',
  'catch',
  'timeout',
  'output',
  'compensate',
  'capability',
  'agent',
  'input',
  'steps',
  'branches',
  'cases',
  'when',
  'otherwise',
  'items',
  'concurrency',
  'prompt',
  'people',
  'groups',
  'quorum',
  'escalate',
  'until',
  'atMost',
  'voters',
  'ballot',
  'error',
  'cause',
  'errors',
  'attempts',
  'value',
  'key',
  'type',
  'conversation',
  'body',
  'pattern',
  'workflow',
  'as',
  'to',
  'topic',
]

const hint = (key: string, given: unknown): string => {
  const there = new Set(Object.keys((given ?? {}) as object))
  return didYouMean(
    key,
    fields.filter((field) => !there.has(field)),
  )
}
