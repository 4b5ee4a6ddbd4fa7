import type { Definition, Step } from '#shared/contracts/workflows/definition.ts'
import { everyText, type Text, textsOf } from '../expressions/every-expression.ts'
import { didYouMean, knownFunctions } from '../expressions/functions.ts'
import { codeOf, parseExpression, type Reference } from '../expressions/parse-expression.ts'
import { type Finding, failing, type Path } from '../problem.ts'
import { type Block, blocksOf, everyStep, flowNames } from '../steps.ts'

/** Variables of every expression. */
const always = ['input', 'run']

type Scope = {
  visible: Set<string>
  everywhere: ReadonlyMap<string, string>
  undone: string[]
  lost: ReadonlySet<string>
}

/** Expressions that do not parse, and variables that nothing before them gives a value. Of what is `lost` nothing is known. */
export const checkReferences = (definition: Definition, lost: ReadonlySet<string>): Finding[] => {
  const { steps, output } = definition
  const scope: Scope = { visible: new Set(always), everywhere: namesOf(steps), undone: undoNames(steps), lost }
  const found = checkSteps(steps, ['steps'], scope)
  return [...found, ...everyText(output, ['output']).flatMap((text) => checkText(text, [], scope))]
}

/** Each name with the block that it lives in, for whoever looks for it elsewhere. */
const namesOf = (steps: Step[], inside = ''): Map<string, string> =>
  new Map(
    steps.flatMap((step) => [
      [step.name, inside] as const,
      ...blocksOf(step).flatMap(({ role, label, steps: inner }) => [
        ...namesOf(inner, role === 'inner' ? outputName(step, label) : inside),
      ]),
    ]),
  )

const outputName = (step: Step, label: string): string =>
  step.kind === 'parallel' ? `$${step.name}.${label}` : `$${step.name}`

/** What is known of a run when it is undone: what its steps answered that have effects outside. */
const undoNames = (steps: Step[]): string[] =>
  everyStep(steps).flatMap(({ step }) => ('compensate' in step || step.kind === 'task' ? [step.name] : []))

const checkSteps = (steps: Step[], path: Path, scope: Scope): Finding[] =>
  steps.flatMap((step, at) => {
    const found = checkStep(step, [...path, at], scope)
    scope.visible.add(step.name)
    return found
  })

const checkStep = (step: Step, path: Path, scope: Scope): Finding[] => {
  const { before, after } = textsOf(step)
  if (step.kind === 'repeat')
    for (const name of [...flowNames(step.steps), `${step.name}Round`]) scope.visible.add(name)
  const found = before.flatMap((text) =>
    checkText(text, path, scope, step.kind === 'map' && step.distributed ? itemNames(step) : []),
  )
  for (const block of blocksOf(step)) found.push(...checkBlock(step, block, path, scope))
  return [...found, ...after.flatMap((text) => checkText(text, path, scope, ['states']))]
}

const itemNames = (step: Step): string[] => (step.kind === 'map' ? [step.as ?? 'item', 'index'] : [])

const checkBlock = (step: Step, { role, path, steps }: Block, at: Path, scope: Scope): Finding[] => {
  const inside = insideOf(step, role, scope)
  const found = checkSteps(steps, [...at, ...path], inside)
  if (role === 'flow' || role === 'catch') for (const name of flowNames(steps)) scope.visible.add(name)
  return found
}

const insideOf = (step: Step, role: Block['role'], scope: Scope): Scope => {
  if (role === 'compensate') return { ...scope, visible: new Set([...always, 'output', 'error', ...scope.undone]) }
  const more = role === 'catch' ? [`${step.name}Error`] : itemNames(step)
  return { ...scope, visible: new Set([...scope.visible, ...more]) }
}

const checkText = ({ text, path }: Text, at: Path, scope: Scope, more: string[] = []): Finding[] => {
  const place = [...at, ...path]
  return checkExpression({ text, path: place }, (reference) => checkReference(reference, place, scope, more))
}

/** A text that is meant as an expression and is none, or what there is to say of the variables of one. */
export const checkExpression = ({ text, path }: Text, check: (reference: Reference) => Finding[]): Finding[] => {
  if (codeOf(text) === undefined) return text.includes('{%') ? [partial(path)] : []
  const parsed = parseExpression(text)
  if ('problem' in parsed) return [failing('EXPRESSION', path, `not JSONata: ${parsed.problem}`, parsed.offset)]
  return parsed.references.flatMap(check)
}

const partial = (place: Path): Finding =>
  failing(
    'EXPRESSION',
    place,
    `an expression is the whole value; join texts inside of it: {% 'release ' & $input.version %}`,
  )

const checkReference = (reference: Reference, place: Path, scope: Scope, more: string[]): Finding[] => {
  const { name } = reference
  if ([knownFunctions, scope.visible, scope.lost].some((names) => names.has(name)) || more.includes(name)) return []
  return [deadReference(reference, place, scope)]
}

/** What a name that nothing has here is, or may have been meant to be. */
export const deadReference = (
  { name, call, offset }: Reference,
  place: Path,
  known: Pick<Scope, 'visible' | 'everywhere'>,
): Finding => failing('DEAD_REFERENCE', place, call ? unknownFunction(name) : unknownVariable(name, known), offset)

const unknownFunction = (name: string): string =>
  `there is no function $${name}${didYouMean(name, knownFunctions, (one) => `$${one}`)}`

const unknownVariable = (name: string, { visible, everywhere }: Pick<Scope, 'visible' | 'everywhere'>): string => {
  if (name === 'states')
    return '$states.result is known in output and ballot alone; elsewhere use the variables of steps'
  const inside = everywhere.get(name)
  if (inside === '') return `${name} comes later, or not on this way: $${name} has no value here`
  if (inside !== undefined)
    return `${name} is a step inside of another, and not seen here; its results are in ${inside}`
  return `nothing is named ${name}${didYouMean(name, visible, (one) => `$${one}`)}`
}
