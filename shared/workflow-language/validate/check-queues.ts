import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { type Finding, warning } from '../problem.ts'
import type { Known } from './known.ts'
import { type PlacedName, recipientsOf } from './works-of.ts'

/** The queues that a definition names. */
export const queuesOf = (definition: Definition): PlacedName[] => recipientsOf(definition, 'queue')

/** Warnings: queues that are named and not there. */
export const checkQueues = (definition: Definition, { queues }: Known): Finding[] =>
  queuesOf(definition)
    .filter(({ name }) => !queues.has(name))
    .map(({ name, path }) => warning('UNKNOWN_QUEUE', path, `there is no queue ${name}: the step will fail`))
