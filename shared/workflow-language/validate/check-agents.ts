import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { isExpression } from '../expressions/parse-expression.ts'
import { type Finding, warning } from '../problem.ts'
import type { Known } from './known.ts'
import { type PlacedName, recipientsOf, worksOf } from './works-of.ts'

/** The agents that a definition names. */
export const agentsOf = (definition: Definition): PlacedName[] => [
  ...worksOf(definition).flatMap(({ work: { agent }, path }) =>
    agent === undefined || isExpression(agent) ? [] : [{ name: agent, path: [...path, 'agent'] }],
  ),
  ...recipientsOf(definition, 'agent'),
]

/** Warnings: agents that are named and not there. */
export const checkAgents = (definition: Definition, { agents }: Known): Finding[] =>
  agentsOf(definition)
    .filter(({ name }) => !agents.has(name))
    .map(({ name, path }) => warning('UNKNOWN_AGENT', path, `there is no agent ${name}: the step will fail`))
