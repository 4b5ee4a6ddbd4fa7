import { checkInput } from '#functions/api/json-schema.ts'
import type { Capabilities, Known, Offer, StoredVersion } from '#shared/workflow-language/validate/known.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'

const textOf = ({ severity, code, line, column, pointer, message }: ReturnType<typeof validate>['problems'][number]) =>
  `${severity} ${code} ${line}:${column} ${pointer} ${message}`

/** What is told of a definition, one text a problem. */
export const problemsOf = (text: string, known?: Known): string[] => validate(text, known).problems.map(textOf)
export const inSteps = (...steps: string[]): string =>
  `workflow: w\nsteps:\n${steps.map((step) => `  - ${step}\n`).join('')}`
export const task = (name: string, input = 'null'): string => `{ name: ${name}, kind: task, agent: a, input: ${input} }`

type There = {
  /** What each offers. */
  agents?: Record<string, Record<string, Offer>>
  /** What is offered by agents besides those. */
  capabilities?: Capabilities
  queues?: string[]
  /** Versions by what is asked for. */
  workflows?: Record<string, Record<string, StoredVersion>>
}

/** What there is besides a definition. */
export const whatIsKnown = ({ agents = {}, capabilities = new Map(), queues = [], workflows = {} }: There): Known => ({
  agents: new Map(Object.entries(agents).map(([name, offers]) => [name, new Map(Object.entries(offers))])),
  capabilities: new Map([...Object.values(agents).flatMap((offers) => Object.entries(offers)), ...capabilities]),
  queues: new Set(queues),
  workflows: new Map(
    Object.entries(workflows).map(([name, versions]) => [
      name,
      { has: Object.keys(versions).filter(Boolean).join(', '), versions: new Map(Object.entries(versions)) },
    ]),
  ),
  checkInput,
})
