import { codeOf, isExpression, parseExpression } from '../expressions/parse-expression.ts'

/** What a name stands for that is no variable of the machine: bound in front of each expression that looks at it. */
export type Bindings = Readonly<Record<string, string>>

export const runBindings: Bindings = {
  input: '$states.context.Execution.Input',
  run: '{"id": $states.context.Execution.Name, "startedAt": $states.context.Execution.StartTime}',
}

export const wrap = (code: string): string => `{% ${code.trim()} %}`

/** The code of an expression with what it needs bound in front. */
const boundCode = (text: string, bindings: Bindings): string => {
  const parsed = parseExpression(text)
  const names = 'problem' in parsed ? [] : parsed.references.map(({ name }) => name)
  const needed = Object.entries(bindings).filter(([name]) => names.includes(name))
  const code = (codeOf(text) ?? '').trim()
  if (needed.length === 0) return code
  return `(${needed.map(([name, value]) => `$${name} := ${value}; `).join('')}${code})`
}

/** A value with every expression in it ready for the machine. */
export const bind = (value: unknown, bindings: Bindings): unknown => {
  if (isExpression(value)) return wrap(boundCode(value, bindings))
  if (Array.isArray(value)) return value.map((one) => bind(one, bindings))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, bind(one, bindings)]))
}

/** A value as one piece of JSONata. */
export const toCode = (value: unknown, bindings: Bindings): string => {
  if (isExpression(value)) return `(${boundCode(value, bindings)})`
  if (Array.isArray(value)) return arrayCode(value, bindings)
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null)
  return `{${Object.entries(value)
    .map(([key, one]) => `${JSON.stringify(key)}: ${toCode(one, bindings)}`)
    .join(', ')}}`
}

/** JSONata joins what an expression in a list gives with the list: what a function gives stays one part of it. */
const arrayCode = (values: unknown[], bindings: Bindings): string => {
  const parts = values.map((one) => toCode(one, bindings))
  if (!values.some(isExpression)) return `[${parts.join(', ')}]`
  return `[$map([${parts.map((part) => `function() { ${part} }`).join(', ')}], function($one) { $one() })[]]`
}

/** A list, whatever an expression answers: JSONata gives one thing instead of a list of one, and nothing for none. */
export const listCode = (items: unknown, bindings: Bindings): string => `$append([], ${toCode(items, bindings)})`

/** A value as `Output` takes it: an expression, or a list or fields, each part of which is evaluated by itself. */
export const asOutput = (value: unknown): unknown => {
  const hasParts = value !== null && typeof value === 'object'
  return hasParts || isExpression(value) ? value : wrap(toCode(value, {}))
}
