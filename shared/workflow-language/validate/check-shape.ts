import type * as z from 'zod'
import { type Definition, definitionSchema } from '#shared/contracts/workflows/definition.ts'
import { stepKinds } from '#shared/contracts/workflows/step.ts'
import { didYouMean } from '../expressions/functions.ts'
import { type Finding, failing, type Path } from '../problem.ts'
import { everyStep } from '../steps.ts'

export const maxSteps = 1000
export const maxLevels = 30
/** Levels of the text itself: each of steps takes a few. */
const maxNesting = 200

/** A value as a definition, or what about it is none. */
export const checkShape = (value: unknown): { definition: Definition } | { findings: Finding[] } => {
  const deep = deepest(value)
  if (deep) return { findings: [failing('TOO_DEEP', deep, `nested deeper than ${maxNesting} levels`)] }
  const parsed = definitionSchema.safeParse(value, { reportInput: true })
  if (!parsed.success) return { findings: parsed.error.issues.flatMap((issue) => explain(issue, value)) }
  const limits = checkLimits(parsed.data)
  return limits.length > 0 ? { findings: limits } : { definition: parsed.data }
}

/** The first place that is too deep; without recursion, whatever comes. */
const deepest = (value: unknown): Path | undefined => {
  const open: { value: unknown; path: Path }[] = [{ value, path: [] }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.value === null || typeof next.value !== 'object') continue
    if (next.path.length >= maxNesting) return next.path
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
  return [failing('SCHEMA', path, issue.message)]
}

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
