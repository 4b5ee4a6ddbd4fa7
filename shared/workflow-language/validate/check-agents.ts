import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { type Finding, warning } from '../problem.ts'
import { worksOf } from './works-of.ts'

/** The agents that a definition names. */
export const agentsOf = (definition: Definition): string[] => [
  ...new Set(worksOf(definition).flatMap(({ work }) => work.agent ?? [])),
]

/** Warnings: agents that are named and not there. */
export const checkAgents = (definition: Definition, known: ReadonlySet<string>): Finding[] =>
  worksOf(definition).flatMap(({ work: { agent }, path }) =>
    agent === undefined || known.has(agent)
      ? []
      : [warning('UNKNOWN_AGENT', [...path, 'agent'], `there is no agent ${agent}: the step will fail`)],
  )
