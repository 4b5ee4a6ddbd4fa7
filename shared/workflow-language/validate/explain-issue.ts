import type * as z from 'zod'
import { stepKinds } from '#shared/contracts/workflows/step.ts'
import { didYouMean } from '../expressions/functions.ts'
import { type Finding, failing, type Path } from '../problem.ts'

const at = (value: unknown, path: PropertyKey[]): unknown =>
  path.reduce<unknown>((found, key) => (found as Record<PropertyKey, unknown> | undefined)?.[key], value)

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60)

/** What an issue of a schema is, in words; `value` is what was read. */
export const explain = (issue: z.core.$ZodIssue, value: unknown): Finding[] => {
  const path = issue.path as Path
  const given = at(value, issue.path)
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) =>
      failing('SCHEMA', [...path, key], `there is no field ${key} here${hint(key, given)}`),
    )
  if (issue.code === 'invalid_key')
    return [failing('SCHEMA', path, `${shown(path.at(-1))} is no name here: ${issue.issues[0]?.message}`)]
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
