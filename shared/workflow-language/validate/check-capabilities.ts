import type { Definition, Work } from '#shared/contracts/workflows/definition.ts'
import { didYouMean } from '../expressions/functions.ts'
import { type Finding, warning } from '../problem.ts'
import type { Capabilities, Known, Offer } from './known.ts'
import { type PlacedName, type PlacedWork, recipientsOf, worksOf } from './works-of.ts'

/** The capabilities that a definition asks for, whoever offers them. */
export const capabilitiesOf = (definition: Definition): PlacedName[] => [
  ...worksOf(definition).flatMap(({ work, path }) => asked(work, path)),
  ...recipientsOf(definition, 'capability'),
]

const asked = ({ agent, capability }: Work, path: PlacedWork['path']): PlacedName[] =>
  agent !== undefined || capability === undefined ? [] : [{ name: capability, path: [...path, 'capability'] }]

/** What is known of the capability of some work: of the one agent that does it, or of whoever offers it. */
export const offerOf = (
  { agent, capability }: Work,
  { agents, capabilities }: Known,
): { name: string; offer: Offer } | undefined => {
  const offers = agent === undefined ? capabilities : agents.get(agent)
  const [only] = agent !== undefined && offers?.size === 1 ? offers.keys() : []
  const name = capability ?? only ?? ''
  const offer = offers?.get(name)
  return offer && { name, offer }
}

/** Warnings: capabilities that nobody offers, or not the agent that is to do it. */
export const checkCapabilities = (definition: Definition, { agents, capabilities }: Known): Finding[] => [
  ...worksOf(definition).flatMap(({ work, path }) => [
    ...asked(work, path).flatMap((one) => unoffered(one, capabilities, 'its task will wait')),
    ...notOfAgent(work, path, agents.get(work.agent ?? '')),
  ]),
  ...recipientsOf(definition, 'capability').flatMap((one) => unoffered(one, capabilities, 'the step will fail')),
]

const unoffered = ({ name, path }: PlacedName, known: Capabilities, outcome: string): Finding[] =>
  known.has(name)
    ? []
    : [warning('UNKNOWN_CAPABILITY', path, `nobody offers ${name}: ${outcome}${didYouMean(name, known.keys())}`)]

const notOfAgent = ({ agent, capability }: Work, path: PlacedWork['path'], offers?: Capabilities): Finding[] => {
  if (offers === undefined || capability === undefined || offers.has(capability)) return []
  const message = `agent ${agent} does not offer ${capability}: the step will fail; it offers ${[...offers.keys()].join(', ') || 'nothing'}`
  return [warning('UNKNOWN_CAPABILITY', [...path, 'capability'], message)]
}
