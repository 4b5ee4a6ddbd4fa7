import { createContext, Script } from 'node:vm'

const sandbox: { pattern?: RegExp; text?: string } = createContext({})
const script = new Script('pattern.test(text)')

/** What the patterns of one check may take together. Milliseconds. */
const budgetMs = 250
let leftMs = budgetMs

/** A pattern took too long for the text it was given. */
export class SlowPatternError extends Error {}

/** Each check of an input begins with the whole budget. */
export const renewBudget = (): void => {
  leftMs = budgetMs
}

/** Backtracking can take for ever, and a regular expression can only be ended from outside of the script that runs it. */
const test = (pattern: RegExp, text: string): boolean => {
  const began = performance.now()
  try {
    return script.runInContext(Object.assign(sandbox, { pattern, text }), { timeout: Math.max(1, Math.ceil(leftMs)) })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw new SlowPatternError(`the pattern ${pattern.source} takes too long for this text`)
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
