import type { Definition, MapStep, RepeatStep, Step } from '#shared/contracts/workflows/definition.ts'
import { events, flowEvents, isCounted, isUnknownMap, itemEvents, triesOf } from '../events.ts'
import { type Block, blocksOf, everyStep, flowNames, legVariable } from '../steps.ts'
import type { AslBlock, AslState, Values } from './asl.ts'
import type { Compiled, Context } from './context.ts'
import { type Bindings, bind, listCode, wrap } from './expression.ts'

/** Of an execution's 25,000 events; the rest is for what cannot be known before. */
const defaultLegEvents = 20_000

/** A loop that may go on in another execution. */
type Loop = {
  name: string
  /** Events of a round, without those of the loops in it. */
  round: number
  /** With so many events before its round it goes on in another execution. */
  most: number
  /** Variables that have a value at the end of a round. */
  assigned: string[]
}

/** How a run goes on in further executions of its machine, its legs. */
export type Legs = {
  /** What is taken for happened when a leg begins. */
  first: number
  loops: ReadonlyMap<string, Loop>
}

type Place = { assigned: string[]; around: number }

/** The legs of a definition whose loops may have more events than an execution; `undefined`: one is enough for it. */
export const planLegs = ({ steps }: Definition, legEvents: number = defaultLegEvents): Legs | undefined => {
  const loops = loopsIn(steps, { assigned: [], around: 0 }, legEvents)
  const isKnown = !everyStep(steps).some(({ step }) => isUnknownMap(step))
  const isEnough = isKnown && flowEvents(steps, 'all') <= legEvents
  if (isEnough || loops.length === 0) return undefined
  return { first: flowEvents(steps, 'one'), loops: new Map(loops.map((loop) => [loop.name, loop])) }
}

const loopsIn = (steps: Step[], place: Place, legEvents: number): Loop[] => {
  const assigned = [...place.assigned]
  return steps.flatMap((step) => {
    const found = loopsOf(step, { ...place, assigned: [...assigned] }, legEvents)
    assigned.push(...flowNames([step]), ...(isCounted(step) ? [roundOf(step)] : []))
    return found
  })
}

const roundOf = ({ name }: Pick<Step, 'name'>): string => `${name}Round`
const isFlow = ({ role }: Block): boolean => role === 'flow' || role === 'catch'

const loopsOf = (step: Step, { assigned, around }: Place, legEvents: number): Loop[] => {
  const flows = blocksOf(step).filter(isFlow)
  if (!isCounted(step))
    return flows.flatMap((flow) => {
      const others = flows.filter((other) => other !== flow).flatMap(({ steps }) => flowNames(steps))
      const failed = flow.role === 'catch' ? [`${step.name}Error`] : []
      return loopsIn(flow.steps, { assigned: [...assigned, ...others, ...failed], around }, legEvents)
    })
  const inside = [...new Set([...assigned, ...flowNames(step.steps), roundOf(step)])]
  const round = flowEvents(step.steps, 'none') + events.own
  const whole = flowEvents(step.steps, 'one') + events.own
  const most = legEvents - around - 2 * whole
  const loop: Loop = { name: step.name, round, most, assigned: inside }
  return [loop, ...loopsIn(step.steps, { assigned: inside, around: around + whole }, legEvents)]
}

const told = '$states.context.Execution.Input'
/** What a machine with legs is given: the input of the run, whose it is, and from the second one on where it goes on. */
export const legBindings: Bindings = {
  input: `${told}.input`,
  run: `{"id": ${told}.run, "startedAt": ${told}.startedAt}`,
}
export const legRun = wrap(`${told}.run`)

const furtherState = (name: string): string => `${name}: further`

/** What a look at the end of a round does besides: it counts, and knows when it is time for the next leg. */
export const legLook = ({ name }: RepeatStep, { legs }: Pick<Context, 'legs'>) => {
  const loop = legs?.loops.get(name)
  if (loop === undefined) return { Choices: [], Assign: {} }
  return {
    Choices: [{ Condition: wrap(`$${legVariable} >= ${loop.most}`), Next: furtherState(name) }],
    Assign: { [legVariable]: wrap(`$${legVariable} + ${loop.round}`) },
  }
}

/** The items of a map are counted once it has ended, however it did: in each of its tries. */
export const legItems = (step: MapStep, { bindings }: Pick<Context, 'bindings'>): Values => ({
  [legVariable]: wrap(
    `$${legVariable} + $count(${listCode(step.items, bindings)}) * ${triesOf(step) * itemEvents(step)}`,
  ),
})

/** No step is called `run`. */
const begin = 'run: begin'
/** Answers for the whole of a workflow. */
export const end = 'run: output'

/**
 * The machine of a run that may have several legs. Each begins with a look at where it goes on, and answers the output of
 * the run, or what the next one is given.
 */
export const inLegs = ({ steps, output }: Definition, { start, states }: Compiled, legs: Legs): AslBlock => {
  const last = output === undefined ? wrap(`$${steps.at(-1)?.name}`) : bind(output, legBindings)
  const own: AslBlock['States'] = { ...states, [end]: { Type: 'Succeed', Output: { output: last } } }
  const wanted = wantedAt(own)
  const entries = [...legs.loops.values()].map((loop) => entryOf(loop, String(states[loop.name]?.Next), legs, wanted))
  const first: AslState = {
    Type: 'Choice',
    Choices: entries.map(({ choice }) => choice),
    Default: start,
    Assign: { [legVariable]: legs.first },
  }
  const all: AslBlock['States'] = {
    [begin]: first,
    ...own,
    ...Object.assign({}, ...entries.map(({ further }) => further)),
  }
  const reached = reachable(all, begin)
  return { StartAt: begin, States: Object.fromEntries(Object.entries(all).filter(([name]) => reached.has(name))) }
}

const entryOf = ({ name, assigned }: Loop, body: string, { first }: Legs, wanted: Wanted) => {
  const carried = assigned.filter((one) => wanted.get(body)?.has(one))
  const round = roundOf({ name })
  const from = carried.map((one) => [one, wrap(`${told}.variables.${one}`)])
  const variables = carried.map((one) => [one, wrap(one === round ? `$${one} + 1` : `$${one}`)])
  const next = { at: name, variables: Object.fromEntries(variables) }
  return {
    choice: {
      Condition: wrap(`${told}.at = "${name}"`),
      Assign: { [legVariable]: first, ...Object.fromEntries(from) },
      Next: body,
    },
    further: {
      [furtherState(name)]: { Type: 'Succeed', Output: { further: { ...sameAgain, ...next } } },
    },
  }
}

/** What each leg is given as it was. */
const sameAgain = {
  input: wrap(`${told}.input`),
  run: wrap(`${told}.run`),
  startedAt: wrap(`${told}.startedAt`),
}

/** Of each state, the variables that it or those behind it look at before they are given another value. */
type Wanted = Map<string, Set<string>>

const wantedAt = (states: AslBlock['States']): Wanted => {
  const wanted: Wanted = new Map(Object.entries(states).map(([name, state]) => [name, namesIn(state)]))
  const grow = (name: string, state: AslState): boolean => {
    const own = wanted.get(name) ?? new Set()
    const before = own.size
    for (const { Next = '', Assign = {} } of waysOf(state))
      for (const one of wanted.get(Next) ?? []) if (!(one in Assign)) own.add(one)
    return own.size > before
  }
  const backwards = Object.entries(states).toReversed()
  let grows = true
  while (grows) grows = backwards.map(([name, state]) => grow(name, state)).includes(true)
  return wanted
}

const namesIn = (state: AslState): Set<string> =>
  new Set([...JSON.stringify(state).matchAll(/\$([A-Za-z][A-Za-z0-9_]*)/g)].map(([, name = '']) => name))

const reachable = (states: AslBlock['States'], from: string): Set<string> => {
  const found = new Set<string>()
  const open = [from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = states[name]
    if (state === undefined || found.has(name)) continue
    found.add(name)
    open.push(...waysOf(state).flatMap(({ Next }) => Next ?? []))
  }
  return found
}

type Way = { Next?: string; Assign?: Values }
type Ways = Way & { Default?: string; Choices?: Way[]; Catch?: Way[] }

/** Where a state may go on, and what is given a value on the way. */
const waysOf = (state: AslState): Way[] => {
  const { Next, Default = Next, Assign, Choices = [], Catch = [] } = state as Ways
  return [{ Next: Default, Assign }, ...Choices, ...Catch]
}
