import type { Step } from '#shared/contracts/workflows/definition.ts'
import { answering } from '../answering.ts'
import { codeOf } from '../expressions/parse-expression.ts'
import type { Values } from './asl.ts'
import type { Context } from './context.ts'
import { wrap } from './expression.ts'

/** Of the steps of a block: which answer for it, and how many results come to be beside that of each. */
export type Joined = {
  names: ReadonlySet<string>
  times: number
  /** An expression for how many times as many that are; only a map that runs knows. */
  perItem?: string
  /** The time that the outermost block runs, whose results share a room. */
  block: string
}

type Place = Pick<Context, 'joined' | 'rounds' | 'inMap' | 'within' | 'whole'>

/** So many results have room whatever they are: none is larger than 32 KiB. */
const alwaysFit = 7

/** What the answer of a step is joined with. */
export const outerOf = ({ name }: Step, { joined }: Pick<Context, 'joined'>): Joined | undefined =>
  joined?.names.has(name) ? joined : undefined

/** In each round of the loops around it, and in each try, a block runs another time. */
const timeOf = ({ name }: Step, { rounds, within }: Place): string => {
  const tries = within.flatMap((block) => codeOf(block.try ?? '')?.trim() ?? [])
  const parts = [...rounds.map((round) => `$${round}`), ...tries]
  return parts.length === 0 ? name : wrap([`"${name}"`, ...parts].join(' & " " & '))
}

/** What blocks of a step join, so many times (`undefined`: a map that runs knows); the place is that inside of it. */
export const joinedIn = (of: Step, blocks: Step[][], beside: number | undefined, place: Place): Joined | undefined => {
  const { names, results, nested } = answering(blocks, place.whole)
  if (results === 0) return undefined
  const outer = outerOf(of, place)
  const times = (beside ?? 1) * results * (outer?.times ?? 1)
  if (outer !== undefined) return { ...outer, names, times }
  const isSmall = beside !== undefined && !nested && times <= alwaysFit
  return place.inMap || isSmall ? undefined : { names, times, block: timeOf(of, place) }
}

/** How a command tells it. */
export const joinedBy = (step: Values, { joined }: Pick<Context, 'joined'>): Values | undefined => {
  if (joined === undefined || !joined.names.has(String(step.name))) return undefined
  const { block, times, perItem } = joined
  return { block, of: perItem === undefined ? times : wrap(times === 1 ? perItem : `${perItem} * ${times}`) }
}
