import { createContext, Script } from 'node:vm'

const sandbox: { run?: () => boolean } = createContext({})
const script = new Script('run()')

/** What one check may take, and of that its patterns. Milliseconds. */
const budgetMs = 250
let leftMs = budgetMs

/** A schema, or a pattern in it, took too long for what it was given. */
export class SlowError extends Error {}

/** Each check of an input begins with the whole budget. */
export const renewBudget = (): void => {
  leftMs = budgetMs
}

/** Backtracking can take for ever, as can schemas that call themselves: only from outside of a script can that be ended. */
export const bounded = (run: () => boolean, what = 'the schema', ms: number = 2 * budgetMs): boolean => {
  try {
    return script.runInContext(Object.assign(sandbox, { run }), { timeout: Math.max(1, Math.ceil(ms)) })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw new SlowError(`${what} takes too long for this input`)
  }
}

const test = (pattern: RegExp, text: string): boolean => {
  const began = performance.now()
  try {
    return bounded(() => pattern.test(text), `the pattern ${pattern.source}`, leftMs)
  } finally {
    leftMs -= performance.now() - began
  }
}

/** How Ajv makes the patterns of schemas: as JSON Schema has them (ECMA-262), but bounded in time. */
export const boundedPattern = Object.assign(
  (source: string, flags: string) => {
    const pattern = new RegExp(source, flags)
    return { test: (text: string) => test(pattern, text), toString: () => String(pattern) } // which Ajv keeps it by
  },
  { code: 'boundedPattern' },
)
