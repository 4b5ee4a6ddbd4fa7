import type jsonata from 'jsonata'
import { LRUCache } from 'lru-cache'
import { createKeyLocks } from '../../key-locks.ts'
import type { Json } from './asl.ts'
import { directPath } from './direct-path.ts'
import { isModest } from './jsonata-bounds.ts'
import { compile, isFunction, type Limits, reasonOf, whyNoJson } from './jsonata-functions.ts'
import { createJsonataProcess, type JsonataProcess } from './jsonata-process.ts'
import { StatesError } from './states-error.ts'

export type Bindings = Record<string, unknown>
/** The value of a literal or of an expression; throws `States.QueryEvaluationError`. */
export type Evaluate = (template: Json | undefined, bindings: Bindings) => Promise<Json>

/** What takes longer than these goes to the process that may take longer. */
const usual: Limits = { timeout: 50, stack: 100, sequence: 100_000 }
const exceededCodes = ['D1011', 'D1012', 'D2015']

const expressionPattern = /^\{%([\s\S]*)%\}$/
const failed = (source: string, reason: string): StatesError =>
  new StatesError('States.QueryEvaluationError', `the expression ${source.trim().slice(0, 500)} failed: ${reason}`)

type Compiled = { direct?: ReturnType<typeof directPath>; quick?: jsonata.Expression }

const parse = (source: string, quick: Limits): Compiled => {
  try {
    return isModest(source) ? { direct: directPath(source), quick: compile(source, quick) } : {}
  } catch (error) {
    throw failed(source, reasonOf(error))
  }
}

type Options = { quick?: Limits; apart?: JsonataProcess }

/** Evaluates JSONata: what is modest here, within milliseconds, all else in a process with hard bounds. */
export const createExpressions = ({ quick = usual, apart = createJsonataProcess() }: Options = {}) => {
  const compiled = new LRUCache<string, Compiled>({ max: 5000 })

  const compiledOf = (source: string): Compiled => {
    const known = compiled.get(source) ?? parse(source, quick)
    compiled.set(source, known)
    return known
  }
  const inThread = async (source: string, bindings: Bindings, tenant: string): Promise<unknown> => {
    const answer = await apart.evaluate(source, bindings, tenant)
    if ('reason' in answer) throw failed(source, answer.reason)
    return answer.json === undefined ? undefined : (JSON.parse(answer.json) as unknown)
  }
  /** One at a time: the time of each is then its own. */
  const turns = createKeyLocks()
  const run = async (source: string, bindings: Bindings, tenant: string): Promise<unknown> => {
    const { direct, quick: expression } = compiledOf(source)
    if (expression === undefined) return inThread(source, bindings, tenant)
    const found = direct?.(bindings)
    if (found !== undefined) return found
    try {
      return await turns.run('', () => expression.evaluate(undefined, bindings))
    } catch (error) {
      if (exceededCodes.includes((error as { code?: string }).code ?? '')) return inThread(source, bindings, tenant)
      throw failed(source, reasonOf(error))
    }
  }
  const directly = (text: string, bindings: Bindings): Json | undefined => {
    const source = expressionPattern.exec(text)?.[1]
    const found = source === undefined ? text : compiledOf(source).direct?.(bindings)
    return isFunction(found) ? undefined : (found as Json | undefined)
  }
  const evaluateText = async (text: string, bindings: Bindings, tenant: string): Promise<Json> => {
    const source = expressionPattern.exec(text)?.[1]
    if (source === undefined) return text
    const value = await run(source, bindings, tenant)
    if (value === undefined || isFunction(value)) throw failed(source, 'it gives nothing')
    const why = whyNoJson(value)
    if (why !== undefined) throw failed(source, why)
    return (Array.isArray(value) ? Array.from(value) : value) as Json // a list of the library's own is one like others
  }
  /** Whether a template has an expression in it; of each template asked once. */
  const known = new WeakMap<object, boolean>()
  const isStatic = (template: Json | undefined): boolean => {
    if (typeof template === 'string') return !expressionPattern.test(template)
    if (template === null || typeof template !== 'object') return true
    const answer = known.get(template) ?? Object.values(template).every(isStatic)
    known.set(template, answer)
    return answer
  }
  /** Most needs the library for nothing, and is known at once. */
  const atOnce = (template: Json | undefined, bindings: Bindings, tenant: string): Json | Promise<Json> => {
    if (isStatic(template)) return template ?? null
    if (typeof template === 'string') return directly(template, bindings) ?? evaluateText(template, bindings, tenant)
    if (template === null || typeof template !== 'object') return template ?? null
    return inside(template, bindings, tenant)
  }
  const inside = async (template: Json[] | Record<string, Json>, bindings: Bindings, tenant: string): Promise<Json> => {
    const values: Json[] = []
    for (const part of Object.values(template)) {
      const value = atOnce(part, bindings, tenant)
      values.push(value instanceof Promise ? await value : value)
    }
    if (Array.isArray(template)) return values
    return Object.fromEntries(Object.keys(template).map((key, at) => [key, values[at] ?? null]))
  }
  /** For the runs of one tenant. */
  const evaluateFor =
    (tenant: string): Evaluate =>
    async (template, bindings) =>
      atOnce(template, bindings, tenant)
  return { evaluateFor, close: apart.close }
}

export type Expressions = ReturnType<typeof createExpressions>
