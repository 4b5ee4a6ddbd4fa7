import type { Definition, Step } from '#shared/contracts/workflows/definition.ts'
import { knownFunctions } from '../expressions/functions.ts'
import { type Finding, failing, type Path } from '../problem.ts'
import {
  blockVariable,
  everyStep,
  hasTries,
  isTimed,
  legVariable,
  outlives,
  timedVariables,
  tryVariable,
} from '../steps.ts'

const reserved = new Set(['input', 'run', 'item', 'index', 'output', 'error', 'states', legVariable])

/** Names that two things have, or that mean something else already. */
export const checkNames = ({ steps }: Definition): Finding[] => {
  const owners = new Map<string, Path>()
  return everyStep(steps).flatMap(({ step, path }) =>
    namesIn(step).flatMap(({ name, field }) => {
      const place = [...path, field]
      const before = owners.get(name)
      owners.set(name, before ?? path)
      return before === undefined ? checkReserved(name, place) : [duplicate(name, place, before)]
    }),
  )
}

/** The variables that a step brings. */
const namesIn = (step: Step): { name: string; field: string }[] => [
  { name: step.name, field: 'name' },
  ...('catch' in step && step.catch ? [{ name: `${step.name}Error`, field: 'name' }] : []),
  ...(step.kind === 'repeat' ? [{ name: `${step.name}Round`, field: 'name' }] : []),
  ...(outlives(step) ? [{ name: blockVariable(step.name), field: 'name' }] : []),
  ...(hasTries(step) ? [{ name: tryVariable(step.name), field: 'name' }] : []),
  ...(isTimed(step) ? timedVariables(step).map((name) => ({ name, field: 'name' })) : []),
  ...(step.kind === 'map' && step.as !== undefined ? [{ name: step.as, field: 'as' }] : []),
]

const duplicate = (name: string, place: Path, before: Path): Finding =>
  failing('DUPLICATE_NAME', place, `${name} is the name of ${spoken(before)} already; a name is that of one thing`)

const spoken = (path: Path): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .slice(1)

const checkReserved = (name: string, place: Path): Finding[] => {
  if (reserved.has(name))
    return [failing('RESERVED_NAME', place, `$${name} means something already; choose another name`)]
  if (knownFunctions.has(name))
    return [failing('RESERVED_NAME', place, `$${name} is a function of JSONata; choose another name`)]
  return []
}
