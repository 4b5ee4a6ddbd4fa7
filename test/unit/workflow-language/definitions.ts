import { validate } from '#shared/workflow-language/validate/validate.ts'

/** What is told of a definition, one text a problem. */
export const problemsOf = (text: string): string[] =>
  validate(text).problems.map(
    ({ severity, code, line, column, pointer, message }) =>
      `${severity} ${code} ${line}:${column} ${pointer} ${message}`,
  )
export const inSteps = (...steps: string[]): string =>
  `workflow: w\nsteps:\n${steps.map((step) => `  - ${step}\n`).join('')}`
export const task = (name: string, input = 'null'): string => `{ name: ${name}, kind: task, agent: a, input: ${input} }`
