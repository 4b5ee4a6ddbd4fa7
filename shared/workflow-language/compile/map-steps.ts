import type { MapStep, Step } from '#shared/contracts/workflows/definition.ts'
import { isUnknownMap } from '../events.ts'
import { textsOf } from '../expressions/every-expression.ts'
import { parseExpression } from '../expressions/parse-expression.ts'
import { everyStep } from '../steps.ts'
import type { AslBlock, AslState, Values } from './asl.ts'
import { compileBatch } from './batch-steps.ts'
import { blockOf, compileInner, resultOf } from './block-steps.ts'
import { inside } from './block-time.ts'
import type { CompileSteps } from './compile-steps.ts'
import type { Compiled, Context } from './context.ts'
import { bind, listCode, wrap } from './expression.ts'
import { type Joined, joinedIn, outerOf } from './joined.ts'
import { legItems } from './legs.ts'

const mapItem = '$states.context.Map.Item'
/** An item that tells how many there are, where its steps have to know. */
const withCount = { item: `${mapItem}.Value.item`, of: `${mapItem}.Value.of` }

/** Each item with the number of all, times as many as are beside the map. */
const countedItems = (list: string, times: string | undefined): string =>
  `($items := ${list}; $of := $count($items)${times === undefined ? '' : ` * ${times}`}; ` +
  '[$map($items, function($item) { {"item": $item, "of": $of} })[]])'

/** What the steps of a map join; `tellsCount`: its items do, of how many there are. */
const eachJoined = (step: MapStep, context: Context): { joined?: Joined; tellsCount: boolean } => {
  const { items, steps } = step
  const beside = Array.isArray(items) ? items.length : undefined
  const joined = joinedIn(step, [steps], beside, inside(step, context))
  const isKnown = beside !== undefined && joined?.perItem === undefined
  if (joined === undefined || isKnown) return { joined, tellsCount: false }
  return { joined: { ...joined, perItem: withCount.of }, tellsCount: true }
}

const itemsOf = (step: MapStep, tellsCount: boolean, context: Context): unknown => {
  const { items = [] } = step
  const { bindings } = context
  const times = tellsCount ? outerOf(step, context)?.perItem : undefined
  if (!Array.isArray(items))
    return wrap(tellsCount ? countedItems(listCode(items, bindings), times) : listCode(items, bindings))
  const all = items.map((item) => bind(item, bindings))
  return tellsCount ? all.map((item) => ({ item, of: wrap(String(times)) })) : all
}

/** The outputs of its steps for each item, in the order of the items. */
export const compileMap = (step: MapStep, context: Context, compileSteps: CompileSteps): Compiled => {
  if (step.distributed) return compileBatch(step, context, compileSteps)
  const { name, concurrency = 40 } = step
  const { joined, tellsCount } = eachJoined(step, context)
  const work: AslState = {
    Type: 'Map',
    Items: itemsOf(step, tellsCount, context),
    MaxConcurrency: concurrency,
    ItemProcessor: {
      ProcessorConfig: { Mode: 'INLINE' },
      ...eachItem(step, tellsCount, { ...context, joined }, compileSteps),
    },
  }
  const compiled = blockOf(step, work, resultOf(step, '$states.result', context.bindings), context, compileSteps)
  if (context.legs === undefined || !isUnknownMap(step)) return compiled
  return {
    ...compiled,
    states: { ...compiled.states, [name]: counting(compiled.states[name], legItems(step, context)) },
  }
}

/** Counts on each of the ways that a state has. */
const counting = (state: AslState | undefined, counted: Values): AslState => {
  const { Catch = [] } = state as { Catch?: { Assign?: Values }[] }
  const caught = Catch.map((one) => ({ ...one, Assign: { ...one.Assign, ...counted } }))
  return {
    ...(state as AslState),
    Assign: { ...(state?.Assign as Values), ...counted },
    ...(caught.length > 0 && { Catch: caught }),
  }
}

/** The context object knows the item of the innermost map alone: one that an inner map looks at becomes a variable. */
const eachItem = (step: MapStep, tellsCount: boolean, context: Context, compileSteps: CompileSteps): AslBlock => {
  const { as = 'item', steps } = step
  const item = tellsCount ? withCount.item : `${mapItem}.Value`
  const bindings = { ...context.bindings, [as]: item, index: `${mapItem}.Index` }
  const inner: Context = { ...context, inMap: true, bindings }
  if (!lookedAtInside(as, steps)) return compileInner(step, steps, inner, compileSteps)
  const { [as]: _, ...others } = bindings
  const block = compileInner(step, steps, { ...inner, bindings: others }, compileSteps)
  const keep = `${step.name}: item`
  const kept: AslState = { Type: 'Pass', Assign: { [as]: wrap(item) }, Next: block.StartAt }
  return { StartAt: keep, States: { [keep]: kept, ...block.States } }
}

const lookedAtInside = (as: string, steps: Step[]): boolean =>
  everyStep(steps).some(
    ({ step }) => step.kind === 'map' && everyStep(step.steps).some((inner) => looksAt(inner.step, as)),
  )

const looksAt = (step: Step, name: string): boolean => {
  const { before, after } = textsOf(step)
  return [...before, ...after].some(({ text }) => {
    const parsed = parseExpression(text)
    return 'references' in parsed && parsed.references.some((reference) => reference.name === name)
  })
}
