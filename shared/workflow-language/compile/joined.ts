import type { Step } from '#shared/contracts/workflows/definition.ts'
import { answering } from '../answering.ts'
import type { Values } from './asl.ts'
import type { Context } from './context.ts'
import { wrap } from './expression.ts'

/** Of the steps of a block: which answer for it, and how many results come to be beside that of each. */
export type Joined = {
  names: ReadonlySet<string>
  times: number
  /** An expression for how many times as many that are; only a map that runs knows. */
  perItem?: string
  /** The time that the outermost block runs, whose results share what others leave; absent: each has its part alone. */
  block?: string
}

type Place = Pick<Context, 'joined' | 'rounds' | 'inMap'>
/** `alone`: equal results have to be told alike, so that none has more than its part. */
type Beside = { beside: number; alone?: boolean }

/** What the answer of a step is joined with. */
export const outerOf = ({ name }: Step, { joined }: Pick<Context, 'joined'>): Joined | undefined =>
  joined?.names.has(name) ? joined : undefined

/** In each round of the loops around it a block runs another time. */
const timeOf = ({ name }: Step, { rounds }: Place): string =>
  rounds.length === 0 ? name : wrap([`"${name}"`, ...rounds.map((round) => `$${round}`)].join(' & " " & '))

/** What the steps of a block join, of whose kind so many are beside each other. */
export const joinedIn = (of: Step, steps: Step[], { beside, alone }: Beside, place: Place): Joined | undefined => {
  const { names, results } = answering(steps)
  if (results === 0) return undefined
  const outer = outerOf(of, place)
  const times = beside * results * (outer?.times ?? 1)
  if (outer === undefined) return { names, times, ...(!alone && !place.inMap && { block: timeOf(of, place) }) }
  if (!alone || outer.block === undefined) return { ...outer, names, times }
  const { block: _, ...rest } = outer
  return { ...rest, names, times: times * 2 } // the other half of the room is shared
}

/** How a command tells it. */
export const joinedBy = (step: Values, { joined }: Pick<Context, 'joined'>): Values | undefined => {
  if (joined === undefined || !joined.names.has(String(step.name))) return undefined
  const { block, times, perItem } = joined
  const of = perItem === undefined ? times : wrap(times === 1 ? perItem : `${perItem} * ${times}`)
  return { ...(block !== undefined && { block }), of }
}
