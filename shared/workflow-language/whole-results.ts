import type { Definition, Step, StepKind } from '#shared/contracts/workflows/definition.ts'
import { stateResult, type Use, usesOf } from './expressions/uses-of.ts'
import { blocksOf } from './steps.ts'

/** A value that is, as it is, in another one; without that: somebody may look into it. */
type Flow = { of: string; into?: string }

/** What these answer is of the definition, or of the steps in them. */
const ownKinds: StepKind[] = ['choice', 'repeat', 'wait', 'set', 'fail']
export const hasResult = (step: Step): boolean =>
  !ownKinds.includes(step.kind) && !(step.kind === 'subWorkflow' && step.wait === false)

/** What a step is answered, before its `output`. */
const resultOf = ({ name }: Step): string => `${name}.${stateResult}`
const everything = 'states'

/** What a value does with what others answer, by its name. */
type UsesOf = (value: unknown, step?: Step) => Use[]

/** The results of steps that nothing in a definition looks into: they go on as they are, into what agents and callers get. */
export const wholeResults = ({ steps, output }: Definition): ReadonlySet<string> => {
  const all = withinOf(steps)
  const lists = new Set(all.filter(isList).map(({ name }) => name))
  const uses: UsesOf = (value, step) =>
    usesOf(value)
      .filter(({ name, how }) => how !== 'counted' || !lists.has(name))
      .map((use) => (use.name === stateResult && step !== undefined ? { ...use, name: resultOf(step) } : use))
  const flows = all.flatMap((step) => [...ownFlows(step, uses), ...blockFlows(step, uses)])
  const seen = looked([...flows, ...handedOn(uses(output))])
  const isWhole = (step: Step): boolean => hasResult(step) && !seen.has(resultOf(step))
  return new Set(seen.has(everything) ? [] : all.filter(isWhole).map(({ name }) => name))
}

const lookedAt = (uses: Use[]): Flow[] => uses.map(({ name }) => ({ of: name }))
const handedOn = (uses: Use[], into?: string): Flow[] =>
  uses.flatMap(({ name, how }) => {
    if (how !== 'whole' || name === everything) return [{ of: name }]
    return into === undefined ? [] : [{ of: name, into }]
  })

/** Every step but those that undo. */
const withinOf = (steps: Step[]): Step[] =>
  steps.flatMap((step) => [
    step,
    ...blocksOf(step).flatMap(({ role, steps: inner }) => (role === 'compensate' ? [] : withinOf(inner))),
  ])

/** A list that is as long, whatever is in it. */
const isList = (step: Step): boolean =>
  step.kind === 'map' && !step.distributed && step.output === undefined && step.catch === undefined

/** What goes to agents as it is; the input of a sub-workflow, and a message, may be looked at by another definition. */
const isGiven = ({ kind }: Step, key: string): boolean => kind === 'task' && key === 'input'
const blockFields = ['steps', 'branches', 'otherwise', 'catch', 'compensate']

const ownFlows = (step: Step, uses: UsesOf): Flow[] =>
  Object.entries(step).flatMap(([key, value]) => {
    if (blockFields.includes(key)) return []
    if (key === 'output' || (step.kind === 'set' && key === 'value')) return handedOn(uses(value, step), step.name)
    if (isGiven(step, key)) return handedOn(uses(value))
    if (key === 'cases') return lookedAt(uses((value as { when: string }[]).map(({ when }) => when)))
    if (key === 'voters')
      return (value as { input?: unknown }[]).flatMap(({ input, ...work }) => [
        ...handedOn(uses(input)),
        ...lookedAt(uses(work)),
      ])
    return lookedAt(uses(value, step))
  })

/** The winner of a race is told in a text of 32,768 characters, and ballots are compared. */
const lookedAtKinds: StepKind[] = ['race', 'vote']

const blockFlows = (step: Step, uses: UsesOf): Flow[] => {
  const { name, kind } = step
  const answer = hasResult(step) ? resultOf(step) : name
  const isAnswer = hasResult(step) && !('output' in step && step.output !== undefined)
  return [
    ...(isAnswer ? [{ of: answer, into: name }] : []),
    ...(lookedAtKinds.includes(kind) ? [{ of: answer }] : []),
    ...blocksOf(step).flatMap(({ role, steps }): Flow[] => {
      if (role === 'compensate') return undoFlows(step, uses(steps))
      const last = steps.at(-1)
      return last === undefined ? [] : [{ of: last.name, into: role === 'catch' ? name : answer }]
    }),
  ]
}

const undoFlows = ({ name }: Step, uses: Use[]): Flow[] =>
  lookedAt(uses).map(({ of }) => ({ of: of === 'output' ? name : of }))

/** What somebody may look into: also what is in that. */
const looked = (flows: Flow[]): ReadonlySet<string> => {
  const inside = Map.groupBy(flows, ({ into }) => into)
  const seen = new Set<string>()
  const open = [...(inside.get(undefined) ?? [])]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next.of)) continue
    seen.add(next.of)
    open.push(...(inside.get(next.of) ?? []))
  }
  return seen
}
