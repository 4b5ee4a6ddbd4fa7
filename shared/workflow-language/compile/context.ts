import type { AslState } from './asl.ts'
import { asOutput, type Bindings } from './expression.ts'
import type { Joined } from './joined.ts'
import type { Legs } from './legs.ts'

/** Expressions for the time that a block runs, and for the try of it. */
export type BlockPlace = { block: string; try?: string }

/** Where a step stands: what comes after it, what its names mean, and who else takes its output. */
export type Context = {
  /** The state after the step; `undefined`: it is the last one of its block. */
  next: string | undefined
  bindings: Bindings
  /** Variables that get its output besides its own. */
  also: string[]
  /** In the steps of a map: they have an index. */
  inMap: boolean
  /** The blocks around it that may end before what they have begun, from the outside in. */
  within: BlockPlace[]
  /** Variables with the rounds of the loops around it. */
  rounds: string[]
  /** What the answers of the block are joined with. */
  joined?: Joined
  /** The results that nothing in the definition looks into. */
  whole: ReadonlySet<string>
  /** They undo what the run had completed. */
  undoes: boolean
  /** An expression for the id of the run. */
  run: string
  /** How the run goes on in further executions; only in the flow of the run itself. */
  legs?: Legs
}

/** The states of a step or a block: the first one, and all. */
export type Compiled = { start: string; states: Record<string, AslState> }

/** How a state goes on. */
export const onward = ({ next }: Pick<Context, 'next'>): { Next: string } | { End: true } =>
  next === undefined ? { End: true } : { Next: next }

/** The output of a step as its variable, and as what its block answers when it is the last. */
export const answered = (name: string, output: unknown, { next, also }: Context, nulls: string[] = []) => {
  const names = [name, ...also]
  return {
    Assign: Object.fromEntries([...nulls.map((one) => [one, null]), ...names.map((one) => [one, output])]),
    ...(next === undefined && { Output: asOutput(output) }),
  }
}

/** Variables of steps that another way leaves out: they have to be there, since others look at them. */
export const asNull = (names: string[]): Record<string, null> => Object.fromEntries(names.map((name) => [name, null]))
